"""Layers most of whose units are never active."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """ReLU and its like only: units of smooth activations are never quite off."""
    for layer in trace.layers:
        if layer.family == "relu" and layer.inner and layer.batches >= ctx.limit("batches") and layer.units >= ctx.limit("units"):
            share = layer.dead / layer.units
            if share > ctx.limit("share"):
                yield ctx.finding("dead", at=layer.place, layer=layer.path, dead=layer.dead, units=layer.units, batches=layer.batches)
