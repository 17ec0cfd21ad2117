"""Attention whose heads are put together again in another order than they were taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each reshape that names the positions where the heads stand."""
    for place, swapped in dict.fromkeys(recipe.merged_heads):
        yield ctx.finding("not-swapped-back", at=place, line=swapped)
