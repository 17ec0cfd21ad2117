"""ReduceLROnPlateau that takes improvement for the opposite."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.metrics import direction_of
from advisor.model.recipe import Flow, Scheduler
from advisor.model.schedules import PLATEAU, steps_of
from advisor.model.source import Known, candidates


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The mode against the way that the metric given to step should go: what was computed decides, then its name, which is less sure."""
    modes = candidates(scheduler.settings.get("mode"))
    if scheduler.name != PLATEAU or not modes:
        return
    for event, _ in steps_of(ctx.recipe, scheduler):
        flow, called = event.data.get("metric"), event.data.get("called")
        if event.subject is not scheduler or not isinstance(flow, Flow):
            continue
        measured = flow.direction or (direction_of(flow.metric) if flow.metric else None)
        wanted = measured or (direction_of(called) if called is not None and not flow.losses else None)
        if wanted is None or any(mode.value not in ("min", "max") or mode.value == wanted for mode in modes):
            continue
        case, metric = "min-of-larger" if wanted == "max" else "max-of-smaller", flow.metric or called or "metric"
        at = scheduler if "step" in ctx.recipe.owner_silences else event  # a framework steps it where the program says fit
        values = {"metric": metric, "written": _written(modes[0]), "line": scheduler.place}
        yield ctx.finding(case, at=at, confidence=None if measured is not None else "medium", **values)


def _written(mode: Known) -> str:
    return f"mode={mode.value!r}" + (" (the default)" if mode.default is not None else "")
