"""Calls whose result is thrown away although they change nothing in place."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Flow, Loader, Recipe

READING = ("item", "cpu", "numpy", "backward")  # called for the wait or the look, not for the result


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each expression statement of a method that returns a new value."""
    seen = set()
    for event, context in events(recipe.tree, Kind.DISCARD):
        shown = event.data.get("in_cell") and not context.path  # a notebook, or a script of cells, shows what a cell ends with
        tried = is_test(event.place.file, recipe)  # a test calls to see whether it works
        if event.data.get("named") or shown or tried or event.data.get("what") in READING or event.place in seen or _whole_batch(event):
            continue
        seen.add(event.place)
        if event.data.get("of") == "loss":
            if context.loops and not recipe.measures_speed:
                yield ctx.finding("loss", at=event, call=event.data.get("call", ""))
            continue
        if event.data.get("of") == "rebound":
            yield ctx.finding("rebound", at=event, call=event.data.get("call", ""), name=event.data.get("what", ""))
            continue
        yield ctx.finding("thrown-away", at=event, call=event.data.get("call", ""), what=str(event.data.get("what", "")).rsplit(".", 1)[-1])


def _whole_batch(event: Event) -> bool:
    """True for a batch as the loader hands it over: it may be no tensor but a container, whose `.to()` works in place."""
    flow = event.data.get("flow")
    return isinstance(flow, Flow) and isinstance(flow.source, Loader) and not flow.part and flow.activation is None
