"""Layers in a plain list or dict, which the model does not know of."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Every such attribute of a module of the project."""
    for attribute, place in module.unregistered:
        yield ctx.finding("plain-container", at=place, confidence="medium" if module.flag_off else None, attribute=attribute, model=module.name)
