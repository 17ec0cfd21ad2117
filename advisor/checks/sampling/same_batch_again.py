"""A loader with many batches of which training sees one."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The same values step after step, although the loader has more than one batch."""
    for repeated in trace.repeated:
        more = repeated.batches_in_loader is None or repeated.batches_in_loader > 1
        if more and repeated.times >= ctx.limit("times"):
            yield ctx.finding("again", at=repeated.place, times=repeated.times, steps=repeated.steps, batches=repeated.batches_in_loader or "many")
