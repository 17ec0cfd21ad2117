"""A best score that is compared with and never raised."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import decision
from advisor.model.events import Branch, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Recipe

WRITES = (Kind.ASSIGN, Kind.RESET, Kind.COUNT, Kind.KEEP)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save under a comparison of a metric with a variable that nothing in the program writes in a loop."""
    seen: set[Branch] = set()
    for _, context in events(recipe.tree, Kind.SAVE):
        found = decision(context)
        if found is None or found.branch in seen or cadence(context) == "once":
            continue
        seen.add(found.branch)
        if not any(event.data.get("variable") == found.best for event, _ in events(recipe.tree, *WRITES)):
            yield ctx.finding("never-raised", at=found.branch, condition=found.condition.text)
