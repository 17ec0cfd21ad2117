"""Dropout on the scores themselves."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.layers import DROPOUTS
from advisor.model.recipe import Flow, Module, Recipe
from advisor.model.source import number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The last layers of every model whose output goes straight into a loss."""
    seen: set[Module] = set()
    for event, _ in events(recipe.tree, Kind.LOSS):
        flow = event.data.get("input")
        if not isinstance(flow, Flow) or not flow.modules or len(flow.modules) > 1:
            continue
        found = _tail(flow.modules[0])
        if found is None or found[1] in seen:
            continue
        output, dropout = found
        seen.add(dropout)
        yield ctx.finding("on-scores", at=dropout, layer=output.name, line=event.place.line, loss=event.subject)


def _tail(module: Module) -> tuple[Module, Module] | None:
    """The output layer and the dropout after it, where a Sequential (alone, or the last of a chain of them) ends so."""
    while module.children and module.name == "Sequential" and module.complete:
        *before, last = module.children.values()
        if last.name in DROPOUTS and before and before[-1].name == "Linear" and number(last.settings.get("p")) != 0:
            return before[-1], last
        module = last
    return None
