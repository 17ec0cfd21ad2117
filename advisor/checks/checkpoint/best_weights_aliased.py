"""Best weights that are kept as references and change with every step."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Fact, Recipe, Save


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each state kept in memory without a copy, in a loop that trains on, and used afterwards."""
    for event, context in events(recipe.tree, Kind.SAVE):
        save = event.subject
        if not isinstance(save, Save) or save.memory != "alias" or cadence(context) == "once":
            continue
        restored = next((restore for restore in recipe.restores if restore.saved is save), None)
        written = next((other for other in recipe.saves if other.kept is save), None)
        use: Fact | None = restored or written
        if use is not None:
            yield ctx.finding("restored" if restored is not None else "written", at=save, line=use.place.line, model=save.module or "the model")
