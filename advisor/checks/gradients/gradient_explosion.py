"""Gradients that grow without end."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The norms of the last steps against those of the first; norms whose square overflows need no comparison."""
    for stepping in trace.steppings:
        norms = [norm for norm in stepping.norm.finite if norm > 0]
        if len(norms) >= ctx.limit("steps") and median(norms) >= ctx.limit("absurd"):
            yield ctx.finding("absurd", at=stepping.place, last=median(norms))
        if len(norms) < ctx.limit("steps") or trace.scaled or median(norms) >= ctx.limit("absurd"):
            continue
        first, last = median(norms[:8]), median(norms[-8:])
        if last >= ctx.limit("huge") and last >= ctx.limit("factor") * first:
            yield ctx.finding("huge", at=stepping.place, first=first, last=last, times=last / first)
        elif stepping.alone and not stepping.moving_target and last >= ctx.limit("factor") * first and last >= ctx.limit("size"):
            yield ctx.finding("growing", at=stepping.place, first=first, last=last, times=last / first)
