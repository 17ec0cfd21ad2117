"""Gradients that are unscaled a second time before the scaler's update."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import windows
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import EVERYTHING, Order, needs_flag, violations
from advisor.model.recipe import Optimizer, Recipe, Scaler
from advisor.model.scaling import is_off, needs_a_flag
from advisor.model.source import Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each unscale of an optimizer's gradients that follows another with no update between."""
    order = Order(checks=_unscaled, clears=lambda event: EVERYTHING if event.kind in (Kind.SCALER_UPDATE, Kind.ESCAPE) else (), arms=_unscaled)
    updated = {event.subject.slot for event, _ in events(recipe.tree, Kind.SCALER_UPDATE) if isinstance(event.subject, Scaler)}
    told = set()
    for found in violations(recipe.tree, order):
        first = found.armed_by[0][0]
        scaler = found.event.subject
        if first is found.event and isinstance(scaler, Scaler) and scaler.slot not in updated:
            continue  # missing-scaler-update says it
        flagged = isinstance(scaler, Scaler) and needs_a_flag(scaler)
        case = "next-turn" if first is found.event else "again"
        told.add(found.event)
        yield ctx.finding(case, at=found.event, confidence="medium" if flagged or needs_flag(found.context) else None, line=first.place)
    for event, line, sure in _in_windows(recipe):
        if event not in told:
            told.add(event)
            yield ctx.finding("each-batch", at=event, confidence=None if sure else "medium", line=line)


def _in_windows(recipe: Recipe) -> Iterator[tuple[Event, Place, bool]]:
    """Each unscale in every batch of a window, where the scaler is updated with the step alone; the step, and whether the window is known."""
    for window in windows(recipe):
        branch, size = window.branch, window.turns
        if branch is None or (size is not None and size <= 1):
            continue
        updates = list(events(window.loop.batch.body, Kind.SCALER_UPDATE, Kind.ESCAPE))
        if not updates or any(all(held is not branch for held, _ in context.arms) for _, context in updates):
            continue
        for event, around in events(recipe.tree, Kind.UNSCALE):
            if window.optimizer in _unscaled(event) and window.loop.batch in around.loops and window.in_every_turn(around):
                yield event, window.step.place, size is not None


def _unscaled(event: Event) -> list[Optimizer]:
    optimizer = event.data.get("optimizer")
    if event.kind is not Kind.UNSCALE or not isinstance(optimizer, Optimizer):
        return []
    scaler = event.subject
    return [] if isinstance(scaler, Scaler) and is_off(scaler) else [optimizer]
