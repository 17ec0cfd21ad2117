"""Batch means averaged over batches of different size."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import loaders
from advisor.model.modes import evaluation_loop
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each sum of mean losses over an evaluation loader that keeps its last, smaller batch."""
    for event, context in events(recipe.tree, Kind.COUNT):
        loop, flow = evaluation_loop(context), event.data.get("flow")
        batches = loaders(loop) if loop is not None else ()
        if not batches or not isinstance(flow, Flow):
            continue
        means = bool(flow.losses) and all(value_of(loss.settings.get("reduction")) == "mean" for loss in flow.losses)
        if means and not flow.divided and value_of(batches[0].settings.get("drop_last")) is False:
            yield ctx.finding("mean", at=event, name=event.data.get("text", ""))
