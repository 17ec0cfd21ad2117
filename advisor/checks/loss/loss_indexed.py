"""An item that is taken of a loss, which is one number."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe

MANY = "DataParallel"  # gives one loss for each device


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each index into what a loss function gives when it averages or sums."""
    seen = set()
    for place, flow in recipe.indexed:
        gathered = any(MANY in module.wrapped for module in flow.modules)
        if flow.losses and flow.reduction in ("mean", "sum") and not gathered and place not in seen:
            seen.add(place)
            yield ctx.finding("item", at=place, loss=flow.losses[0].name)
