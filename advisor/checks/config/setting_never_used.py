"""Settings that are declared and never read."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding, Severity
from advisor.model.recipe import Hyperparameter, Recipe
from advisor.model.source import first

DECLARED = {"argparse": "option", "dataclass": "field", "config": "key"}
SEVERAL = {"argparse": "options", "dataclass": "fields", "config": "keys"}

LAUNCHERS = ("local_rank", "deepspeed", "deepspeed_config")  # must be accepted, whoever reads them


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What nothing in the whole program asks for: one by one, or at once where a file declares many."""
    if not recipe.trains:
        return
    yield from _overruled(recipe, ctx)
    if not recipe.whole or not recipe.hyperparameters.complete:
        return
    unread: dict[tuple[str, str], list[Hyperparameter]] = {}
    for setting in recipe.hyperparameters:
        if setting.read or setting.declared not in DECLARED or setting.name in LAUNCHERS:
            continue
        if setting.escaped:
            ctx.skip(f"the settings were handed to `{setting.escaped}`, which could not be read", setting)
            return
        unread.setdefault((setting.place.file, setting.declared), []).append(setting)
    for (_, declared), settings in unread.items():
        if len(settings) > ctx.limit("many"):
            names = ", ".join(setting.name for setting in settings)
            yield ctx.finding(SEVERAL[declared], at=settings[0], count=len(settings), names=names)
            continue
        for setting in settings:
            yield ctx.finding(DECLARED[declared], at=setting, setting=setting.name)


def _overruled(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What the program sets and the library leaves aside because of another setting."""
    for setting in recipe.hyperparameters:
        known = first(setting.value)
        if setting.overruled is None or known is None:
            continue
        severity: Severity | None = "hint" if setting.usual else None
        case = "chosen" if setting.overruled == "chosen" else "never-reached"
        yield ctx.finding(case, at=setting, severity=severity, value_from=known, setting=setting.name, value=known.value, by=setting.overruled_by)
