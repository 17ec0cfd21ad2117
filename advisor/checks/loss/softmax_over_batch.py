"""Softmax or argmax taken over the batch instead of over the classes."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import Place, is_absent, value_of

NO_DIMENSION = {2: "no-dimension-two", 3: "no-dimension-three"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Where a model's output meets a loss, a metric or the labels, and where its layers end in a softmax without a dimension."""
    seen: set[Place] = set()
    for at, given, met in _outputs(recipe):
        flow = given
        while isinstance(flow, Flow) and flow.activation is not None:
            place, case = flow.activation_at or at, case_of(flow, met)
            if case is not None and place not in seen:
                seen.add(place)
                yield ctx.finding(case, at=place, activation=flow.activation)
            flow = flow.activation_input


def _outputs(recipe: Recipe) -> Iterator[tuple[Place, Flow | None, bool]]:
    """What models give, with where it is used and whether it meets a loss, a metric or the labels there."""
    for event, _ in events(recipe.tree, Kind.LOSS, Kind.METRIC, Kind.FORWARD):
        flow = event.data.get({Kind.LOSS: "input", Kind.METRIC: "flow"}.get(event.kind, "output"))
        yield event.place, flow, event.kind is not Kind.FORWARD


def case_of(flow: Flow, met: bool) -> str | None:
    """What is wrong with the dimension, if anything. Over dimension 0: only of a matrix that a model gave and that meets a loss or metric."""
    rank = flow.activation_input.rank if flow.activation_input is not None else None
    if flow.activation in ("softmax", "log_softmax", "argmax") and value_of(flow.activation_dim) == 0:
        return "batch-dimension" if met and rank == 2 and flow.modules else None
    left_out = is_absent(flow.activation_dim) or getattr(flow.activation_dim, "value", ...) is None
    if flow.activation in ("softmax", "log_softmax") and flow.activation_dim is not None and left_out:
        return NO_DIMENSION.get(rank or 0, "no-dimension")
    return None
