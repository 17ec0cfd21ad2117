"""A validation loss that rises while the training loss falls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Several validation passes in a row, each worse than the one before."""
    passes, count = trace.evaluations, int(ctx.limit("passes"))
    if len(passes) < count + 1 or trace.validation_place is None:
        return
    last = passes[-count - 1 :]
    worse = all(after.loss > before.loss for before, after in itertools.pairwise(last))
    better = all(after.train < before.train for before, after in itertools.pairwise(last))
    best = min(one.loss for one in passes)
    main = trace.main
    first = main.loss.finite[0] if main is not None and main.loss.finite else 0.0
    if worse and better and best > 0 and last[-1].loss > max(ctx.limit("rise") * best, ctx.limit("level") * first):
        yield ctx.finding("rising", at=trace.validation_place, count=count, best=best, last=last[-1].loss, train=last[-1].train)
