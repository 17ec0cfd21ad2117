"""Debuggers that stop every run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import DebuggerStop


def check(stop: DebuggerStop, ctx: Context) -> Iterator[Finding]:
    """Those on the way that every run takes: under a condition a stop may be meant."""
    if ctx.recipe.trains and ctx.recipe.whole and stop.when is None and not stop.flag_off:
        yield ctx.finding("stops", at=stop, call=stop.call)
