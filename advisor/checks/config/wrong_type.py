"""Options that are read as bool, which every text but the empty one is."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each option of a training program that argparse hands to bool()."""
    if not recipe.trains:
        return
    for setting in recipe.hyperparameters:
        if setting.declared == "argparse" and setting.type == "bool":
            yield ctx.finding("always-on" if value_of(setting.value) is True else "any-text", at=setting, option=setting.name)
