"""Batch norm trained on batches of one sample."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.folds import loaders, training_loops
from advisor.model.kinds import layers
from advisor.model.layers import batch_norms
from advisor.model.modes import trained_modules
from advisor.model.recipe import Loader
from advisor.model.source import first, number


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A training loader with a batch size of one, and a trained model with batch norms."""
    size = first(loader.settings.get("batch_size"))
    if size is None or number(size) != 1 or loader.slot not in _trained_on(ctx):
        return
    trained = [module for module in trained_modules(ctx.recipe) if module.trainable != "no"]
    norms = [norm for module in trained for norm in batch_norms(module) if norm.trainable != "no"]
    if not norms:
        return
    flat = [norm for norm in norms if norm.name == "BatchNorm1d"]
    raises = bool(flat) and not layers(trained, frozenset({"Conv1d"}))
    norm = flat[0] if raises else norms[0]
    yield ctx.finding(
        "raises" if raises else "one-sample", at=loader, confidence="medium" if size.weak else None,
        value_from=size, layer=norm.name, line=norm.place.line,
    )


def _trained_on(ctx: Context) -> set[object]:
    return {held.slot for loop in training_loops(ctx.recipe) for held in loaders(loop.batch)}
