"""Keys that the class they are handed to does not have: of a config and a dataclass, of a parameter group and its optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import UnknownKey
from advisor.model.source import value_of


def check(key: UnknownKey, ctx: Context) -> Iterator[Finding]:
    """Each of them, with the field that was probably meant."""
    near = get_close_matches(key.name, key.fields, n=1, cutoff=ctx.limit("likeness"))
    if key.optimizer is not None:
        value = value_of(key.optimizer.settings.get(near[0])) if near else None
        case = "group-near" if value is not None else "group"
        yield ctx.finding(case, at=key, key=key.name, taker=key.taker, nearest="".join(near), value=value)
        return
    if key.by == "ignored":
        meant = key.meant or "".join(near)
        if meant:
            yield ctx.finding("ignored", at=key, key=key.name, taker=key.taker, nearest=meant)
        return
    if key.by == "library":
        yield ctx.finding("argument-near" if near else "argument", at=key, key=key.name, taker=key.taker, nearest="".join(near))
        return
    yield ctx.finding("near" if near else "none", at=key, key=key.name, taker=key.taker, nearest="".join(near))
