"""Checkpoints that are put together and never written, and saves that are commented out."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Recipe

WEIGHTS = ("model-state", "model", "unknown")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A dict of states under a name that nothing reads, told once; else, where nothing keeps the weights, the comment that would."""
    for event, _ in events(recipe.tree, Kind.DISCARD):
        if event.data.get("named") and event.data.get("of") == "checkpoint" and recipe.trains and not is_test(event.place.file):
            saved = next((save for save in recipe.saves if save.memory == "file" and not {*save.parts.values()}.isdisjoint(WEIGHTS)), None)
            name = event.data.get("what", "")
            if saved is None:
                yield ctx.finding("unwritten", at=event, name=name)
            else:
                yield ctx.finding("left-over", at=event, name=name, line=saved.place)
            return
    if recipe.save_left_out is not None and not recipe.measures_speed:
        yield ctx.finding("commented-out", at=recipe.save_left_out)
