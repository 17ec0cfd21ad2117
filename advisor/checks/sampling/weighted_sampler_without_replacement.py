"""A weighted sampler that draws every sample once, so that the weights change nothing but the order."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Sampler
from advisor.model.source import value_of


def check(sampler: Sampler, ctx: Context) -> Iterator[Finding]:
    """Without replacement and for as many draws as there are samples."""
    if sampler.name != "WeightedRandomSampler" or value_of(sampler.settings.get("replacement")) is not False:
        return
    if sampler.draws_all:
        yield ctx.finding("plain-permutation", at=sampler)
    elif sampler.draws_all is None:
        ctx.skip("the number of draws is not known", sampler)
