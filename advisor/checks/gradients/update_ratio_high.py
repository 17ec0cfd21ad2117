"""Steps that are long against the weights they change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean, median

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The median over the weight matrices, in two windows running."""
    for stepping in trace.steppings:
        matrices = [w.ratio for w in stepping.weights if w.matrix and not w.zero_at_start and len(w.ratio.finite) >= 8]
        if not matrices or not stepping.rates or trace.not_finite:
            continue
        middles = [median(math.log10(max(ratio, 1e-12)) for ratio in row) for row in zip(*(series.finite[-8:] for series in matrices))]
        if fmean(middles[:4]) > ctx.limit("logarithm") and fmean(middles[4:]) > ctx.limit("logarithm"):
            rate = max(series.values[-1] for series in stepping.rates)
            yield ctx.finding("too-long", at=stepping.place, share=100 * 10 ** fmean(middles), rate=rate)
