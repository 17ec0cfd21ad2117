"""Gradients that are unscaled a second time before the scaler's update."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import EVERYTHING, Order, needs_flag, violations
from advisor.model.recipe import Optimizer, Recipe, Scaler
from advisor.model.scaling import is_off, needs_a_flag


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each unscale of an optimizer's gradients that follows another with no update between."""
    order = Order(checks=_unscaled, clears=lambda event: EVERYTHING if event.kind in (Kind.SCALER_UPDATE, Kind.ESCAPE) else (), arms=_unscaled)
    updated = {event.subject.slot for event, _ in events(recipe.tree, Kind.SCALER_UPDATE) if isinstance(event.subject, Scaler)}
    for found in violations(recipe.tree, order):
        first = found.armed_by[0][0]
        scaler = found.event.subject
        if first is found.event and isinstance(scaler, Scaler) and scaler.slot not in updated:
            continue  # missing-scaler-update says it
        flagged = isinstance(scaler, Scaler) and needs_a_flag(scaler)
        case = "next-turn" if first is found.event else "again"
        yield ctx.finding(case, at=found.event, confidence="medium" if flagged or needs_flag(found.context) else None, line=first.place)


def _unscaled(event: Event) -> list[Optimizer]:
    optimizer = event.data.get("optimizer")
    if event.kind is not Kind.UNSCALE or not isinstance(optimizer, Optimizer):
        return []
    scaler = event.subject
    return [] if isinstance(scaler, Scaler) and is_off(scaler) else [optimizer]
