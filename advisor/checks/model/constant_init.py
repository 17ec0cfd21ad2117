"""Layers whose units started equal and never parted."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Alike, Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The first trained matrix or kernel that is the same in all units after the last step, and how many more there are."""
    for case in ("alike", "zero"):
        found = [weight for weight in trace.alike if weight.zero == (case == "zero") and _stays(weight, ctx)]
        if found:
            first, rest = found[0], len(found) - 1
            layer = f"{first.path} (and of {rest} more)" if rest else first.path
            yield ctx.finding(case, at=first.place, layer=layer, units=first.units, steps=first.steps)


def _stays(weight: Alike, ctx: Context) -> bool:
    """True when the units differ by rounding alone, and steps moved them together, or nothing moves them."""
    together = weight.moved > ctx.limit("together") * weight.spread
    return weight.steps >= ctx.limit("steps") and weight.spread <= ctx.limit("spread") and (weight.zero or together)
