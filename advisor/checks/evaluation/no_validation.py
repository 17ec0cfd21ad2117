"""Training that is never measured on data it does not train on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.losses import CLASSIFICATION
from advisor.model.metrics import words_of
from advisor.model.recipe import Loader, Recipe

VALIDATION = frozenset({"val", "valid", "validation", "dev"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A program that trains from loaders and runs no forward outside its training loops: of a classifier, or beside a loader made for it."""
    loaders = recipe.loaders
    if not recipe.trains or not recipe.whole or not loaders.complete or not loaders.items:
        return
    outside = [event for event, context in events(recipe.tree, Kind.FORWARD) if training_loop(context) is None]
    if any(loader.role != "train" for loader in loaders):
        idle = [loader for loader in loaders if _is_idle(loader)]
        if idle and not outside and all(loader in idle or loader.role == "train" for loader in loaders) and _is_in_sight(recipe):
            elsewhere = idle[0].place.file != recipe.entry  # made by a function that other programs may call for its sake
            yield ctx.finding("unused", at=idle[0], severity="hint" if elsewhere else None)
        return
    if not outside and len(recipe.optimizers) == 1 and any(loss.name in CLASSIFICATION for loss in recipe.losses):
        yield ctx.finding("none", at=loaders.items[0])


def _is_idle(loader: Loader) -> bool:
    """True for a loader of validation data, as it is called, that nothing asks for a batch and that is handed to nothing unread."""
    told = any(not VALIDATION.isdisjoint(words_of(name)) for name in loader.names) or loader.role == "validation"
    return told and not loader.iterated and loader.role_from != "use" and loader.escaped is None


def _is_in_sight(recipe: Recipe) -> bool:
    """True where the program's own loop was read to its end, and gives nothing of its models to unread code."""
    if recipe.framework != "plain" or recipe.budget_cuts or any(True for _ in events(recipe.tree, Kind.ESCAPE, Kind.UNTOLD)):
        return False
    return not recipe.broken and bool(recipe.optimizers.items)
