"""Early stopping that takes a worse metric for a better one."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.stopping import direction_taken, is_judged, metric_of, wanted_direction


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """The direction taken for an improvement against the one that the metric has."""
    taken, wanted = direction_taken(stop), wanted_direction(stop)
    if not is_judged(stop, ctx.recipe) or taken is None or wanted is None or taken == wanted:
        return
    name = metric_of(stop) or "the metric"
    by_name = stop.owner is None and (stop.flow is None or stop.flow.direction is None)
    yield ctx.finding("rising-loss" if wanted == "min" else "falling-score", at=stop, confidence="medium" if by_name else None, metric=name)
