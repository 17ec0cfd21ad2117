"""The first value that is not a number or not finite, and where it was born."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """One finding: everything after the first follows from it."""
    for found in trace.not_finite[:1]:
        values: dict[str, Any] = {
            "value": found.value, "step": found.step, "module": found.module or "the model", "operation": found.operation or "",
            "low": found.low if found.low is not None else 0.0, "high": found.high if found.high is not None else 0.0,
            "batch": f", batch {found.batch}" if found.batch else "",
        }  # fmt: skip
        if found.bad_input:
            yield ctx.finding("input", at=found.place, **values)
        elif found.bad_target:
            yield ctx.finding("target", at=found.place, **values)
        elif found.operation:
            yield ctx.finding("operation", at=found.place, **values)
        elif found.what == "weight":
            yield ctx.finding("weight", at=found.place, **values)
        elif found.what == "gradient":
            yield ctx.finding("gradient", at=found.place, **values)
        else:
            yield ctx.finding("loss", at=found.place, **values)
