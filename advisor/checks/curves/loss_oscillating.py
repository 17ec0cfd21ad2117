"""A loss that swings up and down at every step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Noise changes direction at two steps in three; a step that is too long does at nearly every one."""
    main = trace.main
    if main is None or not main.alone or main.moving_target or len(main.loss.finite) < ctx.limit("steps") or min(main.loss.finite) < 0:
        return
    values = main.loss.finite[-30:]
    changes = [after - before for before, after in itertools.pairwise(values)]
    turns = sum(one * two < 0 for one, two in itertools.pairwise(changes)) / (len(changes) - 1)
    swing = fmean(abs(change) for change in changes) / max(fmean(values), 1e-12)
    high = fmean(values) >= ctx.limit("level") * fmean(main.loss.finite[:5])
    if high and turns >= ctx.limit("turns") and swing >= ctx.limit("swing"):
        yield ctx.finding("swings", at=main.backward or main.place, turns=100 * turns, swing=100 * swing)
