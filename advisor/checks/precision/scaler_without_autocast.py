"""A gradient scaler in a program that computes nothing in half precision."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, Region, events, walk
from advisor.model.finding import Finding
from advisor.model.recipe import Module, Recipe, Scaler
from advisor.model.source import is_absent, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first scaler that is on and scales a loss, where no autocast stands anywhere and no model has lower weights."""
    if not recipe.whole or recipe.framework != "plain" or not is_absent(recipe.precision) or recipe.autocasts.items:
        return
    scaled = next((event for event, _ in events(recipe.tree, Kind.BACKWARD) if _is_on(event.data.get("scaler"))), None)
    if scaled is None or any(isinstance(node, Region) and node.what == "autocast" for node, _ in walk(recipe.tree)):
        return
    if any(not is_absent(module.dtype) for module in recipe.modules):
        return
    scaler = scaled.data["scaler"]
    if not recipe.scalers.complete or recipe.budget_cuts or any(_may_cast(event) for event, _ in events(recipe.tree, Kind.FORWARD)):
        ctx.skip(recipe.scalers.why or "an autocast may stand in what could not be read", scaler)
        return
    yield ctx.finding("float32", at=scaler, line=scaled.place)


def _is_on(scaler: object) -> bool:
    return isinstance(scaler, Scaler) and value_of(scaler.enabled) is True


def _may_cast(forward: Event) -> bool:
    """True for a model of code that could not be read: it may switch to half precision inside."""
    model = forward.subject
    return not isinstance(model, Module) or (not model.complete and not model.kind.startswith(("torch.", "torchvision.", "timm.")))
