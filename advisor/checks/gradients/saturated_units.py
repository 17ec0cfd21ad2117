"""Layers most of whose sigmoid or tanh units stand at their end."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Hidden layers only: an output may well be sure of itself."""
    for layer in trace.layers:
        if layer.family != "relu" and layer.inner and layer.batches >= ctx.limit("batches") and layer.units >= ctx.limit("units"):
            if layer.saturated / layer.units > ctx.limit("share"):
                yield ctx.finding(
                    "saturated", at=layer.place, layer=layer.path, saturated=layer.saturated, units=layer.units, family=layer.family,
                    batches=layer.batches,
                )  # fmt: skip
