"""Weights that an optimizer holds and that never got a gradient."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """A whole group of its own is meant to be trained; a few weights may simply not be used by this task."""
    for stepping in trace.steppings:
        bare = [weight for weight in stepping.weights if weight.without_gradient and weight.trainable]
        if not bare or len(bare) == len(stepping.weights) or stepping.steps < ctx.limit("steps"):
            continue
        some = ", ".join(weight.path for weight in bare[:3]) + (", ..." if len(bare) > 3 else "")
        for group, size in stepping.groups_without_gradient:
            yield ctx.finding("whole-group", at=stepping.optimizer, group=group, count=size, some=some, steps=stepping.steps)
            break
        else:
            if trace.cuts:
                what, place = trace.cuts[0]
                yield ctx.finding("cut", at=place, count=len(bare), some=some, steps=stepping.steps, what=what)
                continue
            yield ctx.finding("unused", at=stepping.optimizer, count=len(bare), some=some, steps=stepping.steps)
