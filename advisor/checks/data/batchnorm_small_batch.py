"""Batch norms whose statistics come from a handful of samples."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Confidence, Finding
from advisor.model.folds import training_loops
from advisor.model.kinds import layers
from advisor.model.layers import trained_batch_norms
from advisor.model.modes import trained_modules
from advisor.model.recipe import Loader
from advisor.model.source import first, is_none, number


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A training loader with small batches, and a trained model with batch norms of its own device."""
    known = first(loader.settings.get("batch_size"))
    size = number(known)
    if known is None or size is None or not ctx.limit("one") < size <= ctx.limit("small") or loader.slot not in _trained_on(ctx):
        return
    trained = [module for module in trained_modules(ctx.recipe) if module.trainable != "no"]
    norms = [norm for norm in trained_batch_norms(trained, chosen=known.weak) if norm.name != "SyncBatchNorm"]
    if not norms or any("SyncBatchNorm" in module.wrapped for module in trained):
        return
    flat = any(norm.name == "BatchNorm1d" for norm in norms) and not layers(trained, frozenset({"Conv1d"}))  # no sequence gives more values
    collate = loader.settings.get("collate_fn")
    if flat and not is_none(collate):
        ctx.skip("the collate function may make more rows than there are samples", loader)  # the nodes of graphs
        return
    case = "few-values" if flat and size <= ctx.limit("few") else "few-samples"
    norm = norms[0]
    confidence: Confidence | None = "medium" if known.weak else None
    yield ctx.finding(case, at=loader, confidence=confidence, value_from=known, under=norm, value=size, layer=norm.name, line=norm.place)


def _trained_on(ctx: Context) -> set[object]:
    return {loop.batch.over.slot for loop in training_loops(ctx.recipe) if isinstance(loop.batch.over, Loader)}
