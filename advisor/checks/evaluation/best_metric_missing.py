"""A metric that is to choose the best model, and that nothing measures."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import UnmeasuredMetric

WATCHING = ("EarlyStopping", "ModelCheckpoint")


def check(metric: UnmeasuredMetric, ctx: Context) -> Iterator[Finding]:
    """Each metric that a trainer asks its evaluation for, and does not find there."""
    if is_test(ctx.recipe.entry, ctx.recipe):
        return
    case = "not-logged" if metric.taker in WATCHING else "other-keys" if metric.measured else "loss-alone"
    yield ctx.finding(case, at=metric, metric=metric.name, taker=metric.taker, measured=", ".join(metric.measured))
