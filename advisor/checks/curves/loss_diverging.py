"""A loss that grows."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The last steps against the first, and the first batches again with the last weights."""
    main = trace.main
    if main is None or len(main.loss.finite) < ctx.limit("steps") or not main.alone or main.moving_target:
        return
    values = main.loss.finite
    first, last = fmean(values[:5]), fmean(values[-10:])
    if min(values) < 0 or first <= 0:
        return
    factor = ctx.limit("factor")
    if len(trace.again) >= 2 and not trace.not_finite:
        before, after = fmean(again.before for again in trace.again), fmean(again.after for again in trace.again)
        grown = last >= factor * first and after >= factor * before
    else:
        grown = last >= ctx.limit("alone") * first
    if grown:
        yield ctx.finding("grows", at=main.backward or main.place, steps=trace.steps, first=first, last=last, times=last / first)
