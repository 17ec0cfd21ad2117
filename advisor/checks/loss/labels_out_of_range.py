"""Labels that the scores have no column for, or that are no probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """What the loss was given."""
    for found in trace.out_of_range:
        values: dict[str, Any] = {"low": found.low, "high": found.high, "step": found.step, "loss": found.loss}
        if found.kind == "class":
            yield ctx.finding("no-column", at=found.place, columns=int(found.limit), last=int(found.limit) - 1, **values)
        else:
            yield ctx.finding("no-probability", at=found.place, **values)
