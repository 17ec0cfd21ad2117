"""Copies of a model that are to follow it, and that nothing moves."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """A copy whose class has a method that would move it, which nothing calls."""
    if module.updated_by is not None and module.copy_of is not None and module.escaped is None:
        method, place = module.updated_by
        yield ctx.finding("never-updated", at=module, of=module.copy_of, method=method, line=place)
