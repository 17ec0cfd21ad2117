"""Averages whose memory is longer than the run, or that average nothing."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module
from advisor.model.source import first, number


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """The decay of an average of weights against the number of steps."""
    known = first(module.averaged)
    decay = number(known)
    if known is None or decay is None:
        return
    steps = number(first(ctx.recipe.steps))
    sure = not module.flag_off
    if decay >= ctx.limit("fixed"):
        yield ctx.finding("never-moves" if decay == ctx.limit("fixed") else "grows", at=module, value_from=known, value=decay)
    elif steps is not None and steps * (1 - decay) < ctx.limit("memories"):
        wanted = ctx.limit("memories") / (1 - decay)
        yield ctx.finding(
            "longer-than-run", at=module, value_from=known, confidence=None if sure else "medium", value=decay, steps=steps, wanted=wanted
        )
    elif decay < ctx.limit("short"):
        yield ctx.finding("short", at=module, value_from=known, value=decay)
