"""Gradients that are unscaled a second time before the scaler's update."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind
from advisor.model.finding import Finding
from advisor.model.folds import EVERYTHING, Order, needs_flag, violations
from advisor.model.recipe import Optimizer, Recipe, Scaler
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each unscale of an optimizer's gradients that follows another with no update between."""
    order = Order(checks=_unscaled, clears=lambda event: EVERYTHING if event.kind in (Kind.SCALER_UPDATE, Kind.ESCAPE) else (), arms=_unscaled)
    for found in violations(recipe.tree, order):
        first = found.armed_by[0][0]
        case = "next-turn" if first is found.event else "again"
        yield ctx.finding(case, at=found.event, confidence="medium" if needs_flag(found.context) else None, line=first.place)


def _unscaled(event: Event) -> list[Optimizer]:
    optimizer = event.data.get("optimizer")
    if event.kind is not Kind.UNSCALE or not isinstance(optimizer, Optimizer):
        return []
    scaler = event.subject
    return [] if isinstance(scaler, Scaler) and value_of(scaler.enabled) is False else [optimizer]
