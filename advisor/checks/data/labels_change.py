"""Samples whose label is another one in each epoch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """The same input in two passes over the data, with two labels."""
    for found in trace.relabelled:
        if found.again >= ctx.limit("samples") and found.changed >= ctx.limit("share") * found.again:
            yield ctx.finding(
                "redrawn", at=found.place, again=found.again, changed=found.changed,
                first=found.first, second=found.second, before=found.before, other=found.after,
            )  # fmt: skip
