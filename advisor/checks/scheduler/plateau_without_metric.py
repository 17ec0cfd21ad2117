"""ReduceLROnPlateau stepped without the metric that it waits for."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import PLATEAU, alternatives, steps_of


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """Each step without argument, and schedules that Lightning is told of no metric for. A name that may hold another scheduler by a flag is left
    alone."""
    if scheduler.name != PLATEAU or scheduler.owner or any(other.name != PLATEAU for other in alternatives(ctx.recipe, scheduler)):
        return
    if scheduler.when is not None and not scheduler.flag_off and not ctx.recipe.schedulers.complete:
        ctx.skip("the name may hold a scheduler of a class that is not known", scheduler)
        return
    for event, _ in steps_of(ctx.recipe, scheduler):
        if event.data.get("arguments") == 0 and event.data.get("metric") is None and event.subject is scheduler:
            yield ctx.finding("no-metric", at=event)
        elif event.data.get("refused") and event.subject is scheduler:
            yield ctx.finding("no-monitor", at=scheduler)
            return
