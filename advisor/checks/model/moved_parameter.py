"""Parameters that are moved to a device before the module gets them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each attribute that holds what .to(device) or .cuda() made of a parameter."""
    if module.copy_of is not None:
        return
    for attribute, place in module.moved:
        yield ctx.finding("copied", at=place, attribute=attribute, model=module.name)
