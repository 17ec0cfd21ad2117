"""Graphs retained although no second backward goes through them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.recipe import Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A backward with retain_graph=True that is the only one of its loop."""
    for event, context in events(recipe.tree, Kind.BACKWARD):
        loop = training_loop(context)
        if loop is None or loop.within or value_of(event.data.get("retain_graph")) is not True:
            continue
        if len(list(events(loop.batch.body, Kind.BACKWARD, Kind.AUTOGRAD_GRAD))) == 1:
            yield ctx.finding("alone", at=event)
