"""Models saved as objects instead of their weights."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Save


def check(save: Save, ctx: Context) -> Iterator[Finding]:
    """A file into which a module itself is written."""
    if save.memory == "file" and "model" in save.parts.values():
        yield ctx.finding("object", at=save, model=save.module or "the model")
