"""Cosines of a batch that are compared at a temperature far from what works."""

from __future__ import annotations

import math
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The temperature as it was in the first step."""
    for compared in trace.in_batch:
        value = compared.temperature
        if value is None:
            continue
        if value >= ctx.limit("most"):
            best = math.exp(-2 / value)  # cosines of 1 for the pair and -1 for the rest
            floor, guess = math.log1p((compared.rows - 1) * best), math.log(compared.rows)
            yield ctx.finding("high", at=compared.place, value=value, rows=compared.rows, floor=floor, guess=guess)
        elif value < ctx.limit("least"):
            yield ctx.finding("low", at=compared.place, value=value)
