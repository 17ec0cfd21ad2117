"""ReduceLROnPlateau that takes improvement for the opposite."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.metrics import direction_of
from advisor.model.recipe import Flow, Scheduler
from advisor.model.schedules import PLATEAU, steps_of
from advisor.model.source import Known, first


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The mode against the way that the metric given to step should go."""
    mode = first(scheduler.settings.get("mode"))
    if scheduler.name != PLATEAU or mode is None:
        return
    for event, _ in steps_of(ctx.recipe, scheduler):
        flow = event.data.get("metric")
        if event.subject is not scheduler or not isinstance(flow, Flow):
            continue
        wanted = flow.direction or (direction_of(flow.metric) if flow.metric else None)
        if wanted is not None and mode.value in ("min", "max") and mode.value != wanted:
            case = "min-of-larger" if wanted == "max" else "max-of-smaller"
            yield ctx.finding(case, at=event, metric=flow.metric or "metric", written=_written(mode), line=scheduler.place)


def _written(mode: Known) -> str:
    return f"mode={mode.value!r}" + (" (the default)" if mode.default is not None else "")
