"""Clipping that cuts nearly every step, far below the usual norm."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The last half of the steps. Adam and its like do not mind the size of a gradient: for them it is told, not warned of."""
    main = trace.main
    for clipping in trace.clipping:
        norms = clipping.norms.finite
        if len(norms) < ctx.limit("steps") or clipping.limit <= 0:
            continue
        late = sorted(norms[len(norms) // 2 :])
        share = sum(norm > clipping.limit for norm in late) / len(late)
        if share < ctx.limit("share"):
            continue
        values: dict[str, Any] = {"share": 100 * share, "limit": clipping.limit, "median": median(late), "high": late[int(0.9 * (len(late) - 1))]}
        strong = median(late) > ctx.limit("times") * clipping.limit
        if strong and not clipping.adaptive and main is not None and main.rate_is_up(ctx.limit("rate")):
            yield ctx.finding("shortens-every-step", at=clipping.clip, **values)
        else:
            yield ctx.finding("usual", at=clipping.clip, **values)
