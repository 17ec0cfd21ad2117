"""Debuggers that stop every run, and the detection of anomalies that slows every step."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import DebuggerStop


def check(stop: DebuggerStop, ctx: Context) -> Iterator[Finding]:
    """Those on the way that every run takes: under a condition a stop may be meant."""
    if not ctx.recipe.trains or not ctx.recipe.whole or stop.when is not None or stop.flag_off:
        return
    if stop.detects is None:
        yield ctx.finding("stops", at=stop, call=stop.call)
    elif stop.detects and all(other.detects is not False for other in ctx.recipe.debugger_stops):
        yield ctx.finding("slows", at=stop, call=stop.call)
