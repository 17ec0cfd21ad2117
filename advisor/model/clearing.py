"""Gradients that are cleared after the backward that fills them and before the step that should use them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.events import Context, Event, Kind, events
from advisor.model.finished import once
from advisor.model.folds import Order, training_loop, violations
from advisor.model.gradients import filled, stepped, wiped
from advisor.model.recipe import Fact, Recipe
from advisor.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Emptied:
    """A step that finds nothing: its optimizer, what cleared the gradients, and the backward that had filled them."""

    step: Event
    context: Context
    optimizer: Fact
    clearing: Event
    backward: Event


@once
def emptied(recipe: Recipe) -> list[Emptied]:
    """Every such step: clearing arms, a backward disarms, the step is checked."""
    return list(_emptied(recipe))


def _emptied(recipe: Recipe) -> Iterator[Emptied]:
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
            if backward is not None and (clearing, found.thing) not in seen:
                seen.add((clearing, found.thing))
                yield Emptied(found.event, found.context, found.thing, clearing, backward)


def _wasted(turn: list[Event], clearing: Event, thing: Fact) -> Event | None:
    """The backward whose gradients are cleared: the last one before the clearing, in this turn or in the one before, with no step in between."""
    last: Event | None = None
    at = next((index for index, event in enumerate(turn) if event is clearing), len(turn))
    for event in (*turn[at + 1 :], *turn[:at]):
        if event.kind is Kind.BACKWARD:
            last = event
        elif any(optimizer.slot is thing for optimizer in stepped(event)):
            last = None
    return last if at < len(turn) else None
