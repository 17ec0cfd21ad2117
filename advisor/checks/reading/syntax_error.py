"""Files that do not parse."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Broken


def check(broken: Broken, ctx: Context) -> Iterator[Finding]:
    """Everything that is text and breaks the grammar of its language."""
    if not broken.skipped and not broken.unreadable:
        yield ctx.finding(broken.kind if broken.kind in ("python2", "include") else "syntax", at=broken, detail=broken.detail)
