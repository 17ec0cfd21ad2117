"""A first loss far above what guessing costs."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The entropy of the labels, or of a uniform guess, is what an untrained classifier should about pay."""
    if any(stepping.pretrained for stepping in trace.steppings):
        return
    for first in trace.first_losses:
        guess = max(first.entropy, first.uniform)
        limit = ctx.limit("times") * guess + ctx.limit("plus")
        if first.plain and first.value > limit:
            yield ctx.finding("too-high", at=first.place, value=first.value, classes=first.classes, guess=guess, limit=limit)
