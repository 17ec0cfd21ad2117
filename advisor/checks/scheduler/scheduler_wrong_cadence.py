"""Schedulers stepped in every batch though they count epochs, or the other way round, or twice in each turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from advisor.checks.context import Context
from advisor.model.doubled import stepped_by_hand_too, stepped_twice
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import (
    MULTI_STEP,
    PLATEAU,
    WITH_HORIZON,
    alternatives,
    by_loader,
    epochs_stepped_through,
    given,
    horizon,
    horizon_in_epochs,
    milestones,
    passes,
    setting,
    stepped_each,
    stepped_late,
    steps_of,
    turns_stepped,
)
from advisor.model.source import Link, first, number


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """Compares what a schedule counts with how often it is stepped."""
    recipe = ctx.recipe
    if scheduler.owner:
        return
    yield from _twice(scheduler, ctx)
    if not by_loader(recipe):
        return
    each, epochs = stepped_each(recipe, scheduler), number(first(recipe.epochs))
    steps = steps_of(recipe, scheduler)
    if not steps:
        return
    at = scheduler if "step" in recipe.owner_silences else steps[0][0]  # a framework steps it where the program says fit
    if each == "batch":
        found = _per_batch(scheduler, epochs, ctx) or _span_per_batch(scheduler, epochs, ctx)
        if found is not None:
            case, shown = found
            sure = (epochs is not None or case == "gamma-per-batch") and not scheduler.flag_off
            yield ctx.finding(case, at=at, confidence=None if sure else "medium", kind=scheduler.name, setting=shown, line=scheduler.place)
    elif each == "epoch" or stepped_late(recipe, scheduler):
        spans = _passes(scheduler, ctx) or _counts_batches(scheduler, epochs, ctx)
        if spans is not None:
            confidence: Literal["medium"] | None = "medium" if scheduler.flag_off else None
            yield ctx.finding("batch-schedule-per-epoch", at=at, confidence=confidence, kind=scheduler.name, setting=spans, line=scheduler.place)


def _twice(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """Two steps in each turn, of a schedule that does not reach twice as far as the run."""
    recipe = ctx.recipe
    twice = stepped_twice(recipe, scheduler)
    each = alternatives(recipe, scheduler)
    if scheduler is not next((one for one in each if not one.flag_off), each[0]):
        return
    if twice is not None and not any(_may_mean_both(one, ctx) for one in (scheduler, *scheduler.children)):
        first, second = twice.first.place, twice.second.place
        link = Link(first.file, first.line, "the first step")
        case = "stepped-twice" if first != second else "step-repeated"
        yield ctx.finding(case, at=twice.second, evidence=[link], kind=scheduler.name, unit=twice.each, first=first, line=scheduler.place)
    elif (both := stepped_by_hand_too(recipe, scheduler)) is not None:
        rare = both.hand == "batch" and both.own == "epoch" and twice is None  # one step more in an epoch of many
        severity: Literal["hint"] | None = "hint" if rare else None
        told: dict[str, Any] = {"kind": scheduler.name, "line": scheduler.place, "unit": both.hand, "by": both.by, "own": both.own}
        yield ctx.finding("stepped-by-hand-too", at=both.at, severity=severity, **told)


def _may_mean_both(scheduler: Scheduler, ctx: Context) -> bool:
    """True of a schedule with an end that lies beyond as many turns as the run has, or nobody knows where."""
    if scheduler.name not in WITH_HORIZON and scheduler.name not in MULTI_STEP:
        return False
    recipe, marks = ctx.recipe, milestones(scheduler)
    turns, reach = number(turns_stepped(recipe, scheduler)), marks[-1] if marks else number(horizon(scheduler))
    if turns is None or reach is None:  # the number of batches follows from the data: both are compared in epochs
        turns, reach = number(epochs_stepped_through(recipe, scheduler)), number(horizon_in_epochs(recipe, scheduler))
    return turns is None or reach is None or reach > turns


def _per_batch(scheduler: Scheduler, epochs: float | None, ctx: Context) -> tuple[str, str] | None:
    """The schedule that surely counts epochs, with the setting that shows it."""
    bound = epochs if epochs is not None else ctx.limit("epochs-like")
    if scheduler.name == PLATEAU:
        patience = setting(scheduler, "patience")
        return ("plateau-per-batch", f"patience={patience:g}") if patience is not None and patience <= ctx.limit("epochs-like") else None
    if scheduler.name == "StepLR":
        size = setting(scheduler, "step_size")
        return ("epoch-schedule-per-batch", f"step_size={size:g}") if size is not None and size <= bound else None
    if scheduler.name == "MultiStepLR":
        marks = milestones(scheduler)
        return ("epoch-schedule-per-batch", f"milestones up to {marks[-1]:g}") if marks and marks[-1] <= bound else None
    if scheduler.name == "ExponentialLR":
        gamma = setting(scheduler, "gamma")
        return ("gamma-per-batch", f"gamma={gamma:g}") if gamma is not None and gamma <= ctx.limit("gamma") else None
    return None


def _span_per_batch(scheduler: Scheduler, epochs: float | None, ctx: Context) -> tuple[str, str] | None:
    """A span of exactly as many steps as the run has epochs, of more than one batch each."""
    span, steps = number(horizon(scheduler)), number(first(ctx.recipe.steps))
    if span is None or span != epochs or span < ctx.limit("shortest") or steps == epochs or given(scheduler, "steps_per_epoch"):
        return None
    return "span-per-batch", f"{WITH_HORIZON[scheduler.name]}={span:g}"


def _passes(scheduler: Scheduler, ctx: Context) -> str | None:
    """A span that is a multiple of the number of batches."""
    for name in (WITH_HORIZON.get(scheduler.name, ""), "total_iters", "step_size", "T_0", "step_size_up", "num_warmup_steps"):
        known = passes(ctx.recipe, scheduler.settings.get(name))
        times = number(known)
        if times is not None and times >= 1:
            return f"{name} of {times:g} x the batches of an epoch"
    return None


def _counts_batches(scheduler: Scheduler, epochs: float | None, ctx: Context) -> str | None:
    """What shows that a schedule counts batches, when it does."""
    if scheduler.name == "OneCycleLR" and not given(scheduler, "total_steps"):
        return "steps_per_epoch and epochs" if given(scheduler, "steps_per_epoch") and setting(scheduler, "steps_per_epoch") != 1 else None
    if scheduler.name == "CyclicLR":
        up = setting(scheduler, "step_size_up")
        return f"step_size_up={up:g}" if up is not None and epochs is not None and up > epochs else None
    span = horizon(scheduler)
    if span is None or epochs is None or scheduler.name == "CosineAnnealingLR":
        return None
    steps = number(span) or 0
    return f"{steps:g} steps" if steps >= ctx.limit("times-epochs") * epochs else None
