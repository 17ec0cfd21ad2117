"""Schedules that end long before the run, or long after it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import (
    MULTI_STEP,
    WITH_HORIZON,
    epochs_stepped_through,
    horizon,
    horizon_in_epochs,
    is_part,
    milestones,
    stepped_each,
    times_stepped,
)
from advisor.model.source import Known, first, number

ENDS = {"CosineAnnealingLR": "cosine-rises", "cosine_with_warmup": "cosine-rises", "OneCycleLR": "one-cycle-ends"}


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The span of the schedule against the number of times that it is stepped, where both are known."""
    if scheduler.owner or is_part(ctx.recipe, scheduler):
        return
    recipe, turns = ctx.recipe, times_stepped(ctx.recipe, scheduler)
    given = first(scheduler.settings.get("milestones")) if scheduler.name in MULTI_STEP else horizon(scheduler)
    unit = "epochs" if stepped_each(recipe, scheduler) == "epoch" else "steps"
    if given is None or turns is None:  # the number of batches follows from the data: both are compared in epochs
        given, turns, unit = horizon_in_epochs(recipe, scheduler), epochs_stepped_through(recipe, scheduler), "epochs"
    times = number(turns)
    if given is None or turns is None or times is None or times < ctx.limit("shortest"):
        return
    case, span = _judge(scheduler, given, times, ctx)
    if case is not None:
        yield ctx.finding(
            case,
            at=scheduler,
            confidence="medium" if scheduler.flag_off or turns.weak != given.weak else None,
            value_from=given,
            setting="milestones" if scheduler.name in MULTI_STEP else WITH_HORIZON[scheduler.name],
            value=span,
            times=times,
            unit=unit,
            run=ctx.provenance(turns),
        )


def _judge(scheduler: Scheduler, given: Known, times: float, ctx: Context) -> tuple[str | None, float]:
    if scheduler.name in MULTI_STEP:
        marks = milestones(scheduler) or []
        beyond = [mark for mark in marks if mark > times]
        if not beyond or given.default is not None:
            return None, 0
        if len(beyond) == len(marks):  # scheduler-changes-nothing says that, of a schedule without warm-up
            return (None, 0) if scheduler.name == "MultiStepLR" else ("every-milestone-beyond", beyond[0])
        return ("most-milestones-beyond" if 2 * len(beyond) > len(marks) else "milestone-beyond"), beyond[0]
    span = number(given)
    if not span:
        return None, 0
    if span < times / ctx.limit("short"):
        return ENDS.get(scheduler.name, "ends-early"), span
    if span > times * ctx.limit("long"):
        return "never-arrives", span
    return None, span
