"""Gradient scalers whose scale is never updated."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import needs_flag, training_loop
from advisor.model.recipe import Recipe, Scaler
from advisor.model.scaling import is_off, needs_a_flag


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each scaler that steps an optimizer in a loop and that nothing updates."""
    updated = {event.subject.slot for event, _ in events(recipe.tree, Kind.SCALER_UPDATE) if isinstance(event.subject, Scaler)}
    seen: set[object] = set()
    for event, context in events(recipe.tree, Kind.OPTIMIZER_STEP):
        scaler = event.data.get("scaler")
        if not isinstance(scaler, Scaler) or scaler.slot in updated or scaler.slot in seen or training_loop(context) is None:
            continue
        seen.add(scaler.slot)
        if scaler.escaped:
            ctx.skip(f"the scaler was handed to `{scaler.escaped}`, which could not be read", event)
        elif not is_off(scaler):
            flagged = needs_flag(context) or needs_a_flag(scaler)
            yield ctx.finding("never-updated", at=event, confidence="medium" if flagged else None)
