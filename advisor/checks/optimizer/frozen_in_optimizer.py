"""Frozen weights that an optimizer moves all the same."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Weights that want no gradient, have none, and are not the same after a step."""
    for stepping in trace.steppings:
        moved = [weight for weight in stepping.weights if weight.idle >= ctx.limit("steps")]
        if moved:
            rest = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
            seen = min(weight.idle for weight in moved)
            yield ctx.finding("moved", at=stepping.optimizer, count=len(moved), named=moved[0].path, rest=rest, seen=seen)
