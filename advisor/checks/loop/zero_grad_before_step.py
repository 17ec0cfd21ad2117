"""Gradients that are cleared after backward and before the step that should use them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Order, needs_flag, training_loop, violations
from advisor.model.gradients import escaped_to, filled, kinds_of, stepped, wiped
from advisor.model.recipe import Fact, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Clearing arms, a backward disarms, the step is checked."""
    seen = set()
    for found in violations(recipe.tree, Order(checks=stepped, clears=filled, arms=lambda event: wiped(event, recipe))):
        loop = training_loop(found.context)
        if loop is None:
            continue
        turn = [event for event, _ in events(loop.batch.body)]
        if any(event.kind is Kind.GRAD_WRITE for event in turn):
            continue
        for clearing, _ in found.armed_by:
            backward = _wasted(turn, clearing, found.thing)
            if backward is None or (clearing, found.thing) in seen:
                continue
            seen.add((clearing, found.thing))
            if handed := escaped_to(recipe, found.thing):
                ctx.skip(f"the optimizer was handed to `{handed}`, which could not be read", clearing)
                continue
            yield ctx.finding(
                "cleared",
                at=clearing,
                confidence="medium" if needs_flag(found.context) else None,
                kind=kinds_of(recipe, found.thing),
                backward=backward.place,
                step=found.event.place,
            )


def _wasted(turn: list[Event], clearing: Event, thing: Fact) -> Event | None:
    """The backward whose gradients are cleared: the last one before the clearing, with no step in between."""
    last: Event | None = None
    for event in turn:
        if event is clearing:
            return last
        if event.kind is Kind.BACKWARD:
            last = event
        elif any(optimizer.slot is thing for optimizer in stepped(event)):
            last = None
    return None
