"""Layers that a module holds and never runs."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.modes import trained_modules
from advisor.model.recipe import Module


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each attribute with weights that an optimizer holds and that nothing in the program reads."""
    if not module.unread or module.copy_of is not None:
        return
    trained = {part for held in trained_modules(ctx.recipe) for part in held.walk()}
    for attribute, place, part in module.unread:
        if part in trained and not is_test(place.file, ctx.recipe):
            yield ctx.finding("never-read", at=place, attribute=attribute, layer=part.name, model=module.name)
