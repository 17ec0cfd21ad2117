"""Losses that compare the few samples of a small batch with each other."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The largest batch that was compared."""
    for compared in trace.in_batch:
        if compared.rows < ctx.limit("least"):
            yield ctx.finding("few", at=compared.place, others=compared.rows - 1)
