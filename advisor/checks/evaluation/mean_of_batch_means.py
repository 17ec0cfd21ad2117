"""Batch means averaged over batches of different size, or taken for sums over samples."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import loaders
from advisor.model.modes import evaluation_loop
from advisor.model.recipe import Flow, Loader, Recipe
from advisor.model.source import Setting, Unknown, number, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each sum of mean losses that is divided by a number of samples, and else each over an evaluation loader with a last, smaller batch."""
    divided: set[object] = set()
    for place, flow in recipe.averages:
        size = number(flow.source.settings.get("batch_size")) if isinstance(flow.source, Loader) else None
        if size is None or size <= 1 or not _of_means(flow) or len(flow.divided) != 1 or not _counts_samples(flow.divided[0], flow.source):
            continue
        if any(len(other.divided) > 1 and other.divided[0] == flow.divided[0] and other.losses == flow.losses for _, other in recipe.averages):
            continue  # multiplied by the batch size, or by whatever it is, afterwards
        divided.update(flow.losses)
        yield ctx.finding("divided-by-samples", at=place, batch_size=size)
    for event, context in events(recipe.tree, Kind.COUNT):
        loop, total = evaluation_loop(context), event.data.get("flow")
        batches = loaders(loop) if loop is not None else ()
        if not batches or not isinstance(total, Flow) or not divided.isdisjoint(total.losses):
            continue
        uneven = value_of(batches[0].settings.get("drop_last")) is False and number(batches[0].settings.get("batch_size")) != 1
        if _of_means(total) and not total.divided and uneven:
            yield ctx.finding("mean", at=event, name=event.data.get("text", ""))


def _of_means(flow: Flow) -> bool:
    return bool(flow.losses) and all(value_of(loss.settings.get("reduction")) == "mean" for loss in flow.losses)


def _counts_samples(divisor: Setting, loader: Loader) -> bool:
    """True for the number of samples of the data set that a loader takes its batches from."""
    if isinstance(divisor, Unknown):
        return divisor.passes is not None and divisor.passes.of is loader.dataset and divisor.passes.times.value == 1
    length = number(loader.dataset.settings.get("length")) if loader.dataset is not None else None
    return length is not None and length > 1 and number(divisor) == length
