"""Classes that are far from balanced, nothing that corrects for it, and accuracy as the only measure."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.losses import class_weights
from advisor.model.recipe import Dataset, Flow, Recipe
from advisor.model.source import first


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Counts must be seen in the program; any sampler, weight, project loss or other metric silences."""
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
