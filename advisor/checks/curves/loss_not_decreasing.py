"""A loss that does not fall, judged on the same batches evaluated again."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The first batches again with the last weights; without them the raw curve, which says less."""
    main = trace.main
    if main is None or trace.not_finite or trace.steps < ctx.limit("steps") or len(main.loss.finite) < ctx.limit("steps"):
        return
    at, steps = main.backward or main.place, trace.steps
    if len(trace.again) >= 2:
        before, after = fmean(again.before for again in trace.again), fmean(again.after for again in trace.again)
        if before <= 0 or after < ctx.limit("share") * before:
            return
        flat = after >= ctx.limit("sure") * before
        sure = flat and main.alone and min(main.loss.values) >= 0 and main.rate_is_up(ctx.limit("rate")) and not main.moving_target
        yield ctx.finding("same-batches" if sure else "unsure", at=at, steps=steps, before=before, after=after, count=len(trace.again))
        return
    first, last = main.loss.head(5), main.loss.tail(10)
    if main.alone and first > 0 and last >= first and min(main.loss.values) >= 0:
        yield ctx.finding("curve", at=at, steps=steps, first=first, last=last)
