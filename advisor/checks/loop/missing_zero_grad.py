"""Gradients that are never cleared between two steps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Everything, Order, Violation, batch_loop, needs_flag, violations
from advisor.model.gradients import backward_beside, cleared, escaped_to, kinds_of, owned, partly_cleared, stepped
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A step arms its optimizer; the next step finds it armed when nothing cleared it in between."""
    if "zero-grad" in recipe.owner_silences:
        return
    seen, partial = set(), partly_cleared(recipe)
    order = Order(checks=stepped, clears=lambda event: () if event in partial else cleared(event, recipe), arms=stepped)
    for found in violations(recipe.tree, order):
        backward = backward_beside(found.context)
        if backward is None or found.thing in seen or owned(recipe, found.thing):
            continue
        seen.add(found.thing)
        if handed := escaped_to(recipe, found.thing):
            ctx.skip(f"the optimizer was handed to `{handed}`, which could not be read", found.event)
            continue
        flag = needs_flag(found.context)
        before = _elsewhere(found)
        around = _around(recipe, found) if before is None else None
        yield ctx.finding(
            "left-over" if before is not None else "outside" if around is not None else "never",
            at=backward,
            confidence="medium" if flag else None,
            kind=kinds_of(recipe, found.thing),
            step=found.event.place,
            before=(before or around or found.event).place,
        )


def _elsewhere(found: Violation) -> Event | None:
    """The step of an earlier loop whose gradients are left; None when a step of the same loop leaves them."""
    loop = batch_loop(found.context)
    if any(loop in context.loops for _, context in found.armed_by):
        return None
    return found.armed_by[0][0]


def _around(recipe: Recipe, found: Violation) -> Event | None:
    """What clears the gradients in a loop around that of the batches."""
    loop = batch_loop(found.context)
    outer = found.context.loops[: found.context.loops.index(loop)] if loop in found.context.loops else ()
    for event, context in events(recipe.tree, Kind.ZERO_GRAD):
        if not outer or not context.loops or context.loops[-1] not in outer:
            continue
        gone = cleared(event, recipe)
        if isinstance(gone, Everything) or any(held.slot is found.thing.slot for held in gone):
            return event
    return None
