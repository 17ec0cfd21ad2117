"""States of which nothing fits the model that they are loaded into."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Each load that passed over every single entry."""
    for loaded in trace.loaded:
        if not loaded.matched:
            yield ctx.finding("none", at=loaded.place, given=loaded.given, module=loaded.module, first=loaded.first_given, wanted=loaded.first_wanted)
