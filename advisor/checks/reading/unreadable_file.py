"""Files that hold no text to read."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Broken


def check(broken: Broken, ctx: Context) -> Iterator[Finding]:
    """Everything that never became text."""
    if not broken.skipped and broken.unreadable:
        yield ctx.finding("unreadable", at=broken, detail=broken.detail)
