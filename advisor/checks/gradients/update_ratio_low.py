"""Steps that hardly change the weights, at full rate."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """All weight matrices in the whole run: warm-ups, fine-tuned networks and those that have learned their data are left alone."""
    for stepping in trace.steppings:
        matrices = [w.ratio for w in stepping.weights if w.matrix and w.trainable and len(w.ratio.finite) >= 8]
        if not matrices or stepping.pretrained or not stepping.rate_is_up(ctx.limit("rate"), matrices[0].steps[-8]):
            continue
        largest = max(fmean(series.finite[start : start + 8]) for series in matrices for start in range(len(series.finite) - 7))
        if 0 < largest < ctx.limit("ratio"):
            yield ctx.finding("too-short", at=stepping.place, share=100 * largest, rate=max(series.values[-1] for series in stepping.rates))
