"""Rates that are multiplied by the number of processes more than once."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer
from advisor.model.source import OneOf, Setting, Unknown


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """The optimizer's own rate, or that of one of its groups."""
    rates = [optimizer.settings.get("lr"), *(group.settings.get("lr") for group in optimizer.groups)]
    times = max(_factors(rate) for rate in rates)
    if times > 1:
        yield ctx.finding("twice", at=optimizer, times=times, excess=f"{ctx.limit('processes') ** (times - 1):g}")


def _factors(rate: Setting | None) -> int:
    """How often the number of processes is a factor, on the way where that is most often; 0 where it divides on some other way.

    Where the number is 1 behind a flag, every mixture of the two ways is among the options: a quotient shows as one that only divides.
    """
    options = [option.value for option in rate.options] if isinstance(rate, OneOf) else [rate]
    times = [option.replicas for option in options if isinstance(option, Unknown)]
    return max(times) if times and min(times) >= 0 else 0
