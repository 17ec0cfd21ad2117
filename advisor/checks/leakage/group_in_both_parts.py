"""Groups of rows that a split by rows tears in two."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.pattern import pattern
from advisor.model.recipe import Split
from advisor.model.source import is_absent, value_of

ONE = pattern(r"(?i:(^|[_ ])(id|uid|uuid)$|patient|subject|stud(y|ies)|participant|scan|slide|image|video|case|file)|[a-z]I[dD]$")
RATED = pattern(r"user|customer|item|account|buyer|movie|product|stock|ticker|time|date|class|label|cat", re.IGNORECASE)  # what is known beforehand


def check(split: Split, ctx: Context) -> Iterator[Finding]:
    """A random split without groups, where a data set makes each sample of the rows that share a key, on both sides."""
    known = is_absent(split.groups) or value_of(split.groups) is False
    if not known or value_of(split.shuffle) is False or not ctx.recipe.trains:
        return
    alike = [other for other in ctx.recipe.splits if other.place == split.place]
    if split is not alike[0]:
        return
    keys = [{key: at for other in alike for key, at in other.grouped.get(part, ())} for part in ("train", "test")]
    for key, at in keys[0].items():
        if key in keys[1] and ONE.search(key) and not RATED.search(key):
            yield ctx.finding("torn", at=split, key=key, line=at)
            return
