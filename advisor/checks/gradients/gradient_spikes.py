"""Gradient norms that jump far above the usual, with nothing that clips them."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """A spike is many times the median of the ten norms before it."""
    main = trace.main
    if main is None or not main.alone or main.clipped or trace.scaled or main.moving_target or len(main.norm.finite) < ctx.limit("steps"):
        return
    norms = main.norm.finite
    least = ctx.limit("level") * median(norms[:5])
    spikes = [at for at in range(10, len(norms)) if norms[at] > max(least, ctx.limit("times") * median(norms[at - 10 : at]))]
    if len(spikes) >= ctx.limit("count") and max(norms) > ctx.limit("size"):
        worst = max(spikes, key=lambda at: norms[at])
        yield ctx.finding("jumps", at=main.place, count=len(spikes), value=norms[worst], usual=median(norms), step=worst + 1)
