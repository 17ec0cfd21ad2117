"""Dropout on the scores themselves."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import Link, Place

PROBABILITIES = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Every loss whose input is the output of a layer, with nothing but dropout and what makes probabilities behind it."""
    seen: set[Place] = set()
    for event, _ in events(recipe.tree, Kind.LOSS):
        flow = event.data.get("input")
        if isinstance(flow, Flow) and flow.activation in PROBABILITIES:
            flow = flow.activation_input
        if not isinstance(flow, Flow) or flow.activation != "linear" or flow.dropped is None:
            continue
        dropout, layer = flow.dropped
        if layer == flow.activation_at and dropout not in seen:
            seen.add(dropout)
            evidence = [Link(layer.file, layer.line, "the output layer")]
            yield ctx.finding("on-scores", at=dropout, evidence=evidence, line=event.place, layer=layer)
