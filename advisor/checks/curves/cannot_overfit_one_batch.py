"""A model that cannot fit one batch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Only asked with --overfit-batch."""
    found = trace.overfit
    if found is None or found.first <= 0 or found.iterations < ctx.limit("iterations"):
        return
    if not found.last < ctx.limit("share") * found.first:
        yield ctx.finding("stuck", at=found.place, first=found.first, last=found.last, iterations=found.iterations)
