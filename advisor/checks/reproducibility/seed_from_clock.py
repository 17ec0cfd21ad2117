"""A seed that is another one in each run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first seed of the time or the process, or drawn and kept nowhere; one on a side path (a search that mutates settings) may be meant so."""
    if recipe.trains:
        trained = {None, *(optimizer.when for optimizer in recipe.optimizers)}  # a condition that all of training stands under is no side path
        for seed in [seed for seed in recipe.seeds if seed.from_clock and not seed.opposed and seed.when in trained][:1]:
            yield ctx.finding("clock", at=seed.clock_at or seed, library=seed.generators)
        for place in [seed.drawn for seed in recipe.seeds if seed.drawn is not None and seed.when in trained][:1]:
            yield ctx.finding("drawn", at=place)
