"""Accumulation windows whose first step comes after a single batch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import Window, windows
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """`i % k == 0` is true for the very first batch when `i` counts from zero."""
    for window in windows(recipe):
        asked = window.condition
        if asked is None or window.branch is None or asked is not window.branch.condition or window.turns == 1:
            continue
        if asked.operator == "==" and value_of(asked.right) == 0 and asked.counts_from == 0 and _backward_first(window):
            times = value_of(window.size)
            yield ctx.finding(
                "first-alone", at=window.branch, confidence=None if times else "medium",
                condition=asked.text, counter=asked.modulo_of, times=times or "several",
            )


def _backward_first(window: Window) -> bool:
    order: list[Event] = [event for event, _ in events(window.loop.batch.body, Kind.BACKWARD, Kind.OPTIMIZER_STEP)]
    return order[0].kind is Kind.BACKWARD
