"""Training that is never measured on data it does not train on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.losses import CLASSIFICATION
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A program that trains a classifier from loaders and runs no forward outside its training loops."""
    loaders = recipe.loaders
    if not recipe.trains or not recipe.whole or not loaders.complete or not loaders.items or any(loader.role != "train" for loader in loaders):
        return
    outside = [event for event, context in events(recipe.tree, Kind.FORWARD) if training_loop(context) is None]
    if not outside and len(recipe.optimizers) == 1 and any(loss.name in CLASSIFICATION for loss in recipe.losses):
        yield ctx.finding("none", at=loaders.items[0])
