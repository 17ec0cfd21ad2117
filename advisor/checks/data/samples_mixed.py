"""The output for one sample depends on another sample of the batch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """In evaluation mode, where not even BatchNorm mixes samples."""
    for mixed in trace.mixed:
        if mixed.change > ctx.limit("change"):
            yield ctx.finding("mixed", at=mixed.place, model=mixed.module, size=mixed.batch_size, change=mixed.change)
