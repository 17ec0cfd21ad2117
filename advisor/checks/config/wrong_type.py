"""Options that are read as bool, which every text but the empty one is."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Hyperparameter, Recipe
from advisor.model.source import Link, value_of

SHOWN = 3  # names in a message; the others are listed as evidence


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The options of a training program that argparse hands to bool(): one finding for those that are on, one for the others."""
    if not recipe.trains:
        return
    found: dict[str, list[Hyperparameter]] = {}
    for setting in recipe.hyperparameters:
        if setting.declared == "argparse" and setting.type == "bool":
            found.setdefault("always-on" if value_of(setting.value) is True else "any-text", []).append(setting)
    for case, settings in found.items():
        evidence = [Link(setting.place.file, setting.place.line, f"{setting.name} has type=bool, too") for setting in settings[1:]]
        yield ctx.finding(case, at=settings[0], evidence=evidence, options=_few([setting.name for setting in settings]))


def _few(names: list[str]) -> str:
    """The first names, and how many there are beside them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
