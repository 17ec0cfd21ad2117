"""Backward on a loss that was computed where gradients are switched off."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, Region, events
from advisor.model.finding import Finding
from advisor.model.modes import asks_for_graph, gradients_off
from advisor.model.recipe import Flow, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each backward in a region without gradients that also holds its loss."""
    for event, context in events(recipe.tree, Kind.BACKWARD):
        flow = event.data.get("flow")
        region = gradients_off(context)
        if region is None or (isinstance(flow, Flow) and flow.graph == "kept") or asks_for_graph(context) or not _computed_in(region):
            continue
        yield ctx.finding("inside", at=event, region=region.what, line=region.place.line)


def _computed_in(region: Region) -> bool:
    """True when a forward or a loss stands in the region too."""
    return next(events(region.body, Kind.FORWARD, Kind.LOSS), None) is not None
