"""Ranks of one run whose weights differ."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Checksums of every weight after a step, compared over the ranks."""
    found = trace.replicas
    if found is not None and found.step is not None and found.gap > ctx.limit("gap"):
        yield ctx.finding("apart", at=found.place, world=found.world, step=found.step, gap=found.gap, path=found.path)
