"""Accumulation windows whose first step comes after a single batch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import Window, windows
from advisor.model.events import Condition, Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import candidates, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """`i % k == 0` is true for the very first batch when `i` counts from zero."""
    for window in windows(recipe):
        asked = window.condition
        if asked is None or window.branch is None or not _alone_enough(asked, window.branch.condition):
            continue
        if asked.operator == "==" and value_of(asked.right) == 0 and asked.counts_from == 0 and _backward_first(window):
            times, known = value_of(window.size), candidates(window.size)
            latent = bool(known) and all(size.value == 1 for size in known)  # every size that stands in the program is harmless
            yield ctx.finding(
                "latent" if latent else "first-alone",
                at=window.branch,
                confidence=None if times else "medium",
                condition=asked.text,
                counter=asked.modulo_of,
                times=times or "several",
            )


def _alone_enough(asked: Condition, whole: Condition | None) -> bool:
    """True when the step comes whenever the count says so: what else an `or` names may only add steps."""
    return whole is not None and (asked is whole or (asked in whole.disjuncts and not whole.conjuncts and not whole.negated))


def _backward_first(window: Window) -> bool:
    order: list[Event] = [event for event, _ in events(window.loop.batch.body, Kind.BACKWARD, Kind.OPTIMIZER_STEP)]
    return order[0].kind is Kind.BACKWARD
