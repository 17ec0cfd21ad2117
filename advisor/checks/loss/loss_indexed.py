"""An item that is taken of a loss, which is one number."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import indexed
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each index into what a loss function gives when it averages or sums."""
    for place, loss in indexed(recipe):
        yield ctx.finding("item", at=place, loss=loss.name)
