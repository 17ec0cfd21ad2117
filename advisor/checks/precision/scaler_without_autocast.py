"""A gradient scaler in a program that computes nothing in half precision."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import NOWHERE, Event, Kind, Region, events, walk
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop, contains
from advisor.model.recipe import Module, Recipe, Scaler
from advisor.model.source import is_absent, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first scaler that is on and scales a loss, where no autocast stands around the batches or within, and no model has lower weights."""
    if not recipe.whole or recipe.framework != "plain" or not is_absent(recipe.precision):
        return
    scaled, around = next((spot for spot in events(recipe.tree, Kind.BACKWARD) if _is_on(spot[0].data.get("scaler"))), (None, NOWHERE))
    if scaled is None or _autocast(around, recipe):
        return
    if any(not is_absent(module.dtype) for module in recipe.modules):
        return
    scaler = scaled.data["scaler"]
    if not recipe.scalers.complete or recipe.budget_cuts or any(_may_cast(event) for event, _ in events(recipe.tree, Kind.FORWARD)):
        ctx.skip(recipe.scalers.why or "an autocast may stand in what could not be read", scaler)
        return
    elsewhere = next((node.place for node, _ in walk(recipe.tree) if isinstance(node, Region) and _is_autocast(node)), None)
    yield ctx.finding("float32" if elsewhere is None else "elsewhere", at=scaler, line=scaled.place, other=elsewhere)


def _autocast(around: Around, recipe: Recipe) -> bool:
    """True where what is scaled may be computed under autocast, be it in a loop that leaves out what was told before."""
    batch = batch_loop(around)
    nodes = recipe.tree if batch is None or contains(batch.body, Kind.UNTOLD) else batch.body
    if any(map(_is_autocast, around.regions)) or any(_is_autocast(node) for node, _ in walk(nodes)):
        return True
    entered = {(node.place.file, node.place.line) for node, _ in walk(recipe.tree) if _is_autocast(node)}
    return any((autocast.place.file, autocast.place.line) not in entered for autocast in recipe.autocasts)  # kept under a name, or handed on


def _is_autocast(node: object) -> bool:
    return isinstance(node, Region) and node.what == "autocast"


def _is_on(scaler: object) -> bool:
    return isinstance(scaler, Scaler) and value_of(scaler.enabled) is True


def _may_cast(forward: Event) -> bool:
    """True for a model of code that could not be read: it may switch to half precision inside."""
    model = forward.subject
    return not isinstance(model, Module) or (not model.complete and not model.kind.startswith(("torch.", "torchvision.", "timm.")))
