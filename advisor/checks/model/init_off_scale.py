"""Hidden layers whose weights are drawn far too wide."""

from __future__ import annotations

import math
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Start, Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The widest layer that no norm follows, and how many more there are. What was loaded, or starts frozen, is not looked at."""
    wide = [start for start in trace.starts if start.kind != "Embedding" and not start.norm_follows and _size(start) > ctx.limit("size")]
    if wide:
        worst = max(wide, key=_size)
        rest = f" (and {len(wide) - 1} more)" if len(wide) > 1 else ""
        best = ctx.limit("usual") / math.sqrt(worst.fan)
        yield ctx.finding("wide", at=worst.place, layer=f"{worst.kind} {worst.path}", rest=rest, spread=worst.size, times=worst.size / best)


def _size(start: Start) -> float:
    """How much larger a unit's output is than its inputs; the smaller fan leaves every way of scaling by a fan its own."""
    return start.size * math.sqrt(start.fan)
