"""Optimizer steps that change nothing, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """With gradients: the step itself does nothing. Without: no loss reaches what the optimizer holds."""
    for stepping in trace.steppings:
        looked = [moved for moved in stepping.moved if moved[0] not in stepping.skipped]
        if len(looked) < ctx.limit("looks") or not any(rate > 0 for series in stepping.rates for rate in series.values):
            continue
        still = [step for step, graded, moved in looked if graded and not moved]
        if still and len(still) == len(looked):
            yield ctx.finding("same-bits", at=stepping.place, steps=stepping.steps, rate=max(max(series.values) for series in stepping.rates))
        elif not any(graded for _, graded, _ in looked) and any(weight.trainable for weight in stepping.weights):
            yield ctx.finding("no-gradient", at=stepping.place, steps=stepping.steps, count=len(stepping.weights))
