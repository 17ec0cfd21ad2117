"""A seed that is another one in each run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first seed that is taken from the time or the process; one on a side path (a search that mutates settings) may be meant so."""
    if recipe.trains:
        for seed in [seed for seed in recipe.seeds if seed.from_clock and seed.when is None][:1]:
            yield ctx.finding("clock", at=seed, library=seed.library)
