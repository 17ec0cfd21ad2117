"""Classes that are far from balanced, nothing that corrects for it, and accuracy as the only measure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.losses import class_weights
from advisor.model.recipe import Dataset, Flow, Recipe
from advisor.model.source import first, value_of

if TYPE_CHECKING:
    from advisor.model.trace import Trace


def check(subject: Recipe | Trace, ctx: Context) -> Iterator[Finding]:
    """Counts must be seen, in the program or in its batches; any sampler, weight, project loss or other metric silences."""
    yield from _written(subject, ctx) if isinstance(subject, Recipe) else _seen(subject, ctx)


def _seen(trace: Trace, ctx: Context) -> Iterator[Finding]:
    for labels in trace.labels:
        counts = Counter(label for batch in labels.batches for label in batch)
        plain = value_of(labels.loss.settings.get("reduction")) in (None, "mean")  # without it, samples may be weighted by hand
        if labels.weighted or labels.sampler is not None or not labels.from_loader or labels.measured or not plain or len(counts) < 2:
            continue
        most, fewest, samples = max(counts.values()), min(counts.values()), sum(counts.values())
        at_most = fewest + ctx.limit("deviations") * (math.sqrt(fewest) + 1)  # that the rarest class may well have in as many samples
        if samples >= ctx.limit("samples") and most / at_most > ctx.limit("ratio"):
            yield ctx.finding("counts-seen", at=labels.place, samples=samples, ratio=most / fewest, share=most / samples)


def _written(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    if any(class_weights(loss) is not None or loss.user_class for loss in recipe.losses) or any(loader.samplers for loader in recipe.loaders):
        return
    if measured(recipe) - {"loss"} != {"accuracy"}:
        return
    for dataset in recipe.datasets:
        counts = counts_of(dataset)
        if len(counts) > 1 and min(counts) > 0 and max(counts) / min(counts) > ctx.limit("ratio"):
            most, fewest = max(counts), min(counts)
            yield ctx.finding("counts-known", at=dataset, most=most, fewest=fewest, ratio=most / fewest, share=most / sum(counts))


def measured(recipe: Recipe) -> set[str]:
    """Everything that the program measures, by function or by hand."""
    found: set[str] = set()
    for event, _ in events(recipe.tree, Kind.METRIC, Kind.COUNT, Kind.ASSIGN):
        flow = event.data.get("flow")
        names = (event.data.get("name"), flow.metric if isinstance(flow, Flow) else None)
        found.update(name for name in names if isinstance(name, str))
    return found


def counts_of(dataset: Dataset) -> list[float]:
    """Samples per class, when they are known."""
    known = first(dataset.class_counts)
    values = known.value if known is not None else None
    if isinstance(values, dict):
        values = list(values.values())
    return [float(value) for value in values if isinstance(value, (int, float))] if isinstance(values, (list, tuple)) else []
