"""An embedding that is the last layer too and starts too wide for it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Tied, wide, and the first loss shows it: a model that scales its scores down is left alone."""
    for start in trace.starts:
        if not start.tied or start.size * math.sqrt(start.width) <= ctx.limit("size"):
            continue
        for first in trace.first_losses:
            guess = first.uniform
            if first.classes == start.rows and first.plain and first.value > ctx.limit("times") * guess + ctx.limit("plus"):
                yield ctx.finding("tied", at=start.place, layer=start.path, spread=start.size, width=start.width, value=first.value, guess=guess)
                break
