"""Settings that are declared and never read."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Hyperparameter

GIVEN_BY_LAUNCHERS = frozenset({"local_rank", "local-rank", "rank", "world_size", "dist_url"})  # the launcher passes them, so they must be declared
DECLARED = {"argparse": "option", "dataclass": "field", "config": "key"}


def check(setting: Hyperparameter, ctx: Context) -> Iterator[Finding]:
    """An option of the command line or a field that nothing in the whole program asks for."""
    recipe = ctx.recipe
    if setting.read or setting.name in GIVEN_BY_LAUNCHERS or setting.declared not in DECLARED or not recipe.trains or not recipe.whole or not recipe.hyperparameters.complete:
        return
    if setting.escaped:
        ctx.skip(f"the settings were handed to `{setting.escaped}`, which could not be read", setting)
        return
    yield ctx.finding(DECLARED[setting.declared], at=setting, setting=setting.name)
