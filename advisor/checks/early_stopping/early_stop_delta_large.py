"""A minimal improvement so large that slow progress counts as none."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CLASSIFICATION
from advisor.model.recipe import EarlyStopping
from advisor.model.source import first, number
from advisor.model.stopping import metric_of, wanted_direction, written_at


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """Judged only where the size of the metric is known: mean classification losses, and scores between 0 and 1."""
    known = first(stop.min_delta)
    delta = number(known)
    if known is None or delta is None or stop.flow is None:
        return
    delta, flow = abs(delta), stop.flow
    small_loss = bool(flow.losses) and all(loss.name in CLASSIFICATION for loss in flow.losses) and flow.reduction != "sum"
    if small_loss and delta >= ctx.limit("loss"):
        yield ctx.finding(
            "loss", at=written_at(known, stop), value_from=known, delta=delta, limit=ctx.limit("loss"), metric=metric_of(stop) or "loss"
        )
    elif flow.scale == "fraction" and wanted_direction(stop) == "max" and delta >= ctx.limit("score"):
        yield ctx.finding(
            "score", at=written_at(known, stop), value_from=known, delta=delta, limit=ctx.limit("score"), metric=metric_of(stop) or "score"
        )
