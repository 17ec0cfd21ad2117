"""Backward on a loss that was computed where gradients are switched off."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Kind, Region, events
from advisor.model.finding import Finding
from advisor.model.modes import asks_for_graph, gradients_off
from advisor.model.recipe import Flow, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each backward in a region without gradients that also holds its loss, and each one behind such a region."""
    for event, context in events(recipe.tree, Kind.BACKWARD):
        flow = event.data.get("flow")
        around = gradients_off(context)
        if (isinstance(flow, Flow) and flow.graph == "kept") or asks_for_graph(context):
            continue
        region = around if around is not None and _computed_in(around) else _before(flow, context) if around is None else None
        if region is not None:
            yield ctx.finding("inside", at=event, region=region.what, line=region.place)


def _before(flow: object, context: Around) -> Region | None:
    """The region in the same loop in which the loss, or the output that it judges, was computed, when nothing of it has a graph."""
    if not context.loops or not isinstance(flow, Flow) or flow.graph != "cut" or flow.cut_by or not flow.losses:
        return None
    for event, inside in events(context.loops[-1].body, Kind.FORWARD, Kind.LOSS):
        region = gradients_off(inside)
        if region is not None and event.subject in (*flow.losses, *flow.modules) and not asks_for_graph(inside):
            return region
    return None


def _computed_in(region: Region) -> bool:
    """True when a forward or a loss stands in the region too, and none that has gradients switched on again."""
    inside = [{held.what for held in context.regions} for _, context in events(region.body, Kind.FORWARD, Kind.LOSS)]
    return bool(inside) and not any(regions & {"enable_grad", "set_grad_enabled"} for regions in inside)
