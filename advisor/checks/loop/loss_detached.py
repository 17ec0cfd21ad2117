"""Backward on a value that was cut from its graph."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.modes import SWITCHES, asks_for_graph
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each backward whose loss lost its graph in a call that the program shows."""
    for event, context in events(recipe.tree, Kind.BACKWARD):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow) or flow.graph != "cut" or not flow.cut_by or not (flow.losses or flow.modules):
            continue
        if asks_for_graph(context) or any(region.what in SWITCHES for region in context.regions):
            continue  # said by backward-under-no-grad, if at all
        cut = flow.cut_at
        evidence = [Link(cut.file, cut.line, f"cut by {flow.cut_by}")] if cut is not None else []
        yield ctx.finding("cut", at=event, evidence=evidence, cut=flow.cut_by, line=cut or event.place)
