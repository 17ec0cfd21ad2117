"""A weighted sampler that is given one weight per class instead of one per sample."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Sampler


def check(sampler: Sampler, ctx: Context) -> Iterator[Finding]:
    """Fires on weights that are known to be per class."""
    if sampler.name == "WeightedRandomSampler" and sampler.weights == "per-class":
        yield ctx.finding("per-class", at=sampler.weights_place or sampler)
