"""Weights that are to be frozen by an attribute that torch never looks at, or looks at elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.modes import trained_modules
from advisor.model.recipe import Module, Recipe

CASES = {"weights": "misspelt", "module": "module", "state": "state"}  # by what the attribute is written to


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each such line, where an optimizer moves the weights all the same."""
    held = {part.slot for module in trained_modules(recipe) for part in module.walk()}
    told = set()
    for event, _ in events(recipe.tree, Kind.LOST_FREEZE):
        module = event.subject
        if not isinstance(module, Module) or event.place in told or module.trainable == "no" or held.isdisjoint(part.slot for part in module.walk()):
            continue
        told.add(event.place)
        case = CASES[event.data["of"]]
        yield ctx.finding(case, at=event, text=event.data["text"], module=module.name)
