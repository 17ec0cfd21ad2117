"""Warm-ups that take a large part of the run, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import is_part, stepped_each, times_stepped
from advisor.model.source import number
from advisor.model.warmup import warmup_steps


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The warm-up against the number of times that the scheduler is stepped, or against its own total."""
    warmup = warmup_steps(scheduler)
    if not warmup or scheduler.owner or is_part(ctx.recipe, scheduler):
        return
    turns = times_stepped(ctx.recipe, scheduler)
    times = number(turns) or number(scheduler.settings.get("num_training_steps"))
    if not times:
        return
    share = warmup / times
    if share <= ctx.limit("share"):
        return
    quick = times <= ctx.limit("quick")
    case = "long" if share < 1 else "whole-quick" if quick else "whole"
    unit = "epochs" if stepped_each(ctx.recipe, scheduler) == "epoch" else "steps"
    yield ctx.finding(case, at=scheduler, warmup=warmup, times=times, unit=unit, share=share)
