"""Training whose weights are gone when it ends."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Programs that keep their weights nowhere, with the line that would do it commented out."""
    if recipe.save_left_out is not None and not recipe.measures_speed:
        yield ctx.finding("commented-out", at=recipe.save_left_out)
