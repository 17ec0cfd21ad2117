"""Gradients that die on their way to the first layers."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Only while the loss is still high: gradients of a finished model are small everywhere."""
    main = trace.main
    if main is None or trace.not_finite or trace.scaled or trace.steps < ctx.limit("steps") or not main.loss.values:
        return
    if trace.again and fmean(a.after for a in trace.again) < ctx.limit("learned") * fmean(a.before for a in trace.again):
        return
    layers = sorted((w for w in main.weights if w.matrix and w.depth >= 0 and len(w.gradient.finite) >= 3), key=lambda w: w.depth)
    if len(layers) < 3:
        return
    first, last = fmean(layers[0].gradient.finite), fmean(layers[-1].gradient.finite)
    if first < ctx.limit("size") and last > 0 and first < ctx.limit("ratio") * last:
        yield ctx.finding("first-layers", at=main.backward or main.place, layer=layers[0].path, first=first, last=last, end=layers[-1].path)
