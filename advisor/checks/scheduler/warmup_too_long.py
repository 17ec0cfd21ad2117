"""Warm-ups that take a large part of the run, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.recipe import Recipe, Scheduler
from advisor.model.schedules import batches_each, chosen, epochs_stepped_through, is_part, passes, steps_of, times_stepped, unit
from advisor.model.source import first, number
from advisor.model.warmup import warmup as warmup_of
from advisor.model.warmup import warmup_steps, warmups

TRAINER = "transformers"  # steps a schedule after each step of the optimizer, and counts both


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The warm-up against the number of times that the scheduler is stepped, against its own total, or as a share of the run."""
    if scheduler.name == "constant":
        return  # has no warm-up, whatever the arguments say
    ratio = first(scheduler.settings.get("warmup_ratio"))
    given = number(ratio)
    if ratio is not None and given is not None and given > ctx.limit("share") and not warmup_steps(scheduler):
        rare: Confidence | None = "medium" if given <= ctx.limit("half") else None
        yield ctx.finding("ratio", at=ratio if ratio.place is not None else scheduler, value_from=ratio, confidence=rare, share=given)
        return
    if scheduler.owner not in (None, TRAINER) or is_part(ctx.recipe, scheduler):
        return
    warmup, times, unit = _in_steps(scheduler, ctx.recipe)
    quick = times is not None and times <= ctx.limit("quick")
    if not warmup or not times:
        warmup, times, unit = _in_epochs(scheduler, ctx.recipe)
    if not warmup or not times:
        return
    share = warmup / times
    if share <= ctx.limit("share") or (share < 1 and quick and unit == "steps"):
        return  # so few steps are a trial of the real run, and reach the rate all the same
    case = "long" if share < 1 else "whole-quick" if quick else "whole"
    written = warmup_of(scheduler)
    at = written.place if scheduler.owner is not None and written is not None and written.place is not None else scheduler
    severity: Severity | None = "hint" if written is not None and written.default is not None else None  # the framework's, not the program's
    sure: Confidence | None = "medium" if scheduler.flag_off or share <= ctx.limit("half") else None
    yield ctx.finding(case, at=at, severity=severity, confidence=sure, warmup=warmup, times=times, unit=unit, share=share)


def _in_steps(scheduler: Scheduler, recipe: Recipe) -> tuple[float | None, float | None, str]:
    """The warm-up and the run by the number of times that the scheduler is stepped."""
    if scheduler.owner is not None:
        return warmup_steps(scheduler), number(chosen(first(recipe.steps))), "steps"
    times = number(times_stepped(recipe, scheduler)) or number(scheduler.settings.get("num_training_steps"))
    before = sum(not context.loops for _, context in steps_of(recipe, scheduler))  # so many are behind it when the run begins
    warmup = warmup_steps(scheduler)
    return warmup - before if warmup is not None else None, times, unit(recipe, scheduler)


def _in_epochs(scheduler: Scheduler, recipe: Recipe) -> tuple[float | None, float | None, str]:
    """The warm-up and the run in epochs, where the number of batches follows from the data."""
    warmup = next((number(known) for held in warmups(scheduler) if (known := passes(recipe, held)) is not None), None)
    run, batches = number(epochs_stepped_through(recipe, scheduler)), batches_each(recipe, scheduler)
    if warmup is not None and run is not None and batches is not None:
        return warmup * batches, run, "epochs"
    return warmup, number(passes(recipe, scheduler.settings.get("num_training_steps"))), "epochs"
