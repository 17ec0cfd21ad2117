"""Batch norm trained on batches of one sample."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import loaders, training_loops
from advisor.model.kinds import layers
from advisor.model.layers import trained_batch_norms
from advisor.model.modes import stepping, trained_modules
from advisor.model.recipe import Loader
from advisor.model.source import Known, is_none, number


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A training loader with a batch size of one, and a trained model with batch norms."""
    size = loader.settings.get("batch_size")
    if not isinstance(size, Known) or number(size) != 1 or loader.slot not in _trained_on(ctx) or not _one_sample(loader, ctx):
        return
    if loader.unset or (loader.dataset is not None and loader.dataset.flag_off):
        ctx.skip("its data are not known to be there in this run", loader)  # which may be a test, that takes another loader
        return
    trained = [module for module in trained_modules(ctx.recipe) if module.trainable != "no"]
    norms = trained_batch_norms(trained, chosen=size.weak)
    if not norms:
        return
    flat = [norm for norm in norms if norm.name == "BatchNorm1d"]
    raises = bool(flat) and not layers(trained, frozenset({"Conv1d"}))
    if not raises and len(stepping(ctx.recipe)) > 1 and not any(True for _ in events(ctx.recipe.tree, Kind.EVAL_MODE, Kind.MODE_UNKNOWN)):
        return  # networks that are used in train mode too, as those of pix2pix are, see the statistics that they were trained with
    norm = flat[0] if raises else norms[0]
    yield ctx.finding(
        "raises" if raises else "one-sample",
        at=loader,
        confidence="medium" if size.weak else None,
        value_from=size,
        under=norm,
        layer=norm.name,
        line=norm.place,
    )


def _one_sample(loader: Loader, ctx: Context) -> bool:
    """True when a batch of one is surely one sample: nothing collates otherwise, samples or draws batches, and no flag picks another loader."""
    settings = loader.settings
    plain = all(is_none(settings.get(name)) for name in ("collate_fn", "batch_sampler"))
    alone = sum(other.slot is loader.slot for other in ctx.recipe.loaders) == 1
    return plain and alone and loader.kind.startswith("torch.utils.data.") and not (loader.dataset is not None and loader.dataset.iterable)


def _trained_on(ctx: Context) -> set[object]:
    return {held.slot for loop in training_loops(ctx.recipe) for held in loaders(loop.batch)}
