"""Modules whose parts are assigned before the base class is ready."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """A module that gets its first part before, or without, the constructor of its base."""
    if module.user_class and module.assigned_early is not None:
        yield ctx.finding("too-early", at=module.assigned_early, model=module.name)
