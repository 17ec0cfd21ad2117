"""Inputs of a wide range into a layer that no norm follows."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """What enters the first layer with weights, after everything that the data pipeline does."""
    for found in trace.inputs:
        if found.normalised or found.batches < ctx.limit("batches"):
            continue
        largest = max(abs(found.low), abs(found.high))
        if largest > ctx.limit("largest") and found.deviation > ctx.limit("deviation"):
            yield ctx.finding("wide-range", at=found.place, kind=found.kind, layer=found.path, low=found.low, high=found.high, mean=found.mean)
