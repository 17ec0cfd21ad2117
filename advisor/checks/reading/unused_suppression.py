"""Comments that silence a rule which has nothing to say."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.suppression import Suppression


def check(suppression: Suppression, ctx: Context) -> Iterator[Finding]:
    """Only where the rule was really asked."""
    if suppression.known and suppression.judged and not suppression.used:
        yield ctx.finding("unused", at=suppression, rule=suppression.rule)
