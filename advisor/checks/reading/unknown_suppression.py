"""Comments that name no rule, or one that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.suppression import Suppression


def check(suppression: Suppression, ctx: Context) -> Iterator[Finding]:
    """A name that no rule has silences nothing."""
    if suppression.known:
        return
    if not suppression.rule:
        yield ctx.finding("blanket", at=suppression)
    elif suppression.nearest:
        yield ctx.finding("misspelt", at=suppression, rule=suppression.rule, nearest=suppression.nearest)
    else:
        yield ctx.finding("unknown", at=suppression, rule=suppression.rule)
