"""A gradient scaler that skips steps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """A few skips at the start find the scale; later ones, or all, mean that gradients overflow."""
    for scaling in trace.scaling:
        early = int(ctx.limit("early"))
        late, skipped = scaling.steps - early, sum(step > early for step in scaling.skipped)
        if scaling.steps >= early and len(scaling.skipped) == scaling.steps:
            yield ctx.finding("all", at=scaling.place, steps=scaling.steps)
        elif late >= ctx.limit("steps") and skipped > ctx.limit("share") * late:
            scale = scaling.scale.values[-1] if scaling.scale.values else 0.0
            yield ctx.finding("many", at=scaling.place, skipped=skipped, late=late, scale=scale)
