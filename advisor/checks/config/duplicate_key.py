"""Keys that a config gives twice, and options that a parser is given twice."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import DuplicateKey

BLOCK = "a block"  # what is shown of a list or a mapping


def check(key: DuplicateKey, ctx: Context) -> Iterator[Finding]:
    """The later line, because it is the one that holds."""
    if key.first is None:
        return
    if key.option:
        yield ctx.finding("option", at=key, key=key.name, line=key.first)
        return
    case = "repeated" if key.earlier is not None and key.earlier == key.later else "overridden"
    yield ctx.finding(case, at=key, key=key.name, line=key.first, earlier=key.earlier or BLOCK, later=key.later or BLOCK)
