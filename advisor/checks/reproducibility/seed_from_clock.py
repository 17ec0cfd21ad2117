"""A seed that is another one in each run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Seed


def check(seed: Seed, ctx: Context) -> Iterator[Finding]:
    """A seed taken from the time or the process."""
    if seed.from_clock and ctx.recipe.trains:
        yield ctx.finding("clock", at=seed, library=seed.library)
