"""Trackers that a framework was not told of, or was told of by a None that it takes for all."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import OpenTracker


def check(tracker: OpenTracker, ctx: Context) -> Iterator[Finding]:
    """Each framework that writes what a run measures nowhere, or everywhere."""
    if ctx.recipe.trains and not is_test(ctx.recipe.entry, ctx.recipe):
        yield ctx.finding("everywhere" if tracker.everywhere else "nowhere", at=tracker, taker=tracker.taker)
