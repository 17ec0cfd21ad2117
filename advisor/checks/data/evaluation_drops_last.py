"""Validation and test loaders that leave samples out."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.source import first


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """An evaluation loader with drop_last=True."""
    given = first(loader.settings.get("drop_last"))
    if loader.role not in ("validation", "test") or given is None or given.value is not True:
        return
    sure = loader.role_from in ("use", "contents")
    yield ctx.finding("left-out", at=loader, confidence=None if sure else "medium", value_from=given, role=loader.role)
