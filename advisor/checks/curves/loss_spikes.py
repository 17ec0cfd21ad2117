"""A loss that jumps far above its neighbourhood, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """A spike stands above the ten values before it by several times their whole spread."""
    main = trace.main
    if main is None or not main.alone or main.moving_target or len(main.loss.finite) < ctx.limit("steps") or min(main.loss.finite) < 0:
        return
    values = main.loss.finite
    spikes, least = [], ctx.limit("level") * fmean(values[:5])
    for at in range(10, len(values)):
        before = values[at - 10 : at]
        middle = median(before)
        if values[at] > least and values[at] > middle + ctx.limit("spreads") * max(max(before) - min(before), ctx.limit("least") * middle):
            spikes.append(at)
    if len(spikes) >= ctx.limit("count"):
        worst = max(spikes, key=lambda at: values[at])
        yield ctx.finding("jumps", at=main.backward or main.place, count=len(spikes), value=values[worst], usual=median(values), step=worst + 1)
