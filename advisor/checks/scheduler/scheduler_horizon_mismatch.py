"""Schedules that end long before the run, or long after it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import steps_once_per_batch
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.rates import written_rate
from advisor.model.recipe import Optimizer, Scheduler
from advisor.model.schedules import (
    MULTI_STEP,
    WITH_HORIZON,
    by_loader,
    epochs_stepped_through,
    horizon,
    horizon_in_epochs,
    is_part,
    milestone_setting,
    milestones,
    of_one_process,
    passes,
    rises,
    setting,
    steps_of,
    times_stepped,
    unit,
)
from advisor.model.schedules import given as given_at_all
from advisor.model.source import Known, first, number

ENGINE = "deepspeed"
BY_CONFIG = ("mmcv", "mmengine")
FALLING = ("PolyLR", "CosineAnnealingLR")
ENDS = {"CosineAnnealingLR": "cosine-rises", "cosine_with_warmup": "cosine-rises", "OneCycleLR": "one-cycle-ends"}


def check(subject: Scheduler | Optimizer, ctx: Context) -> Iterator[Finding]:
    """The span of the schedule against the number of times that it is stepped, where both are known."""
    yield from _by_hand(subject, ctx) if isinstance(subject, Optimizer) else _stepped(subject, ctx)


def _by_hand(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """A rate that the program writes into the groups itself, and that is at rest long before the last turn, at nothing, or long after it."""
    rate = written_rate(ctx.recipe, optimizer)
    if rate is None or rate.arrives is None or rate.turns is None or rate.turns < ctx.limit("shortest"):
        return
    over = rate.least == 0 and rate.arrives < rate.turns / ctx.limit("short")
    if over or rate.arrives > rate.turns * ctx.limit("long"):
        case = "written-ends-early" if over else "written-never-arrives"
        yield ctx.finding(case, at=rate.place, value=rate.arrives, times=rate.turns, loop=rate.loop.line, least=rate.least)


def _stepped(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """The same of a scheduler."""
    if scheduler.owner == ENGINE:
        yield from _by_engine(scheduler, ctx)
    falling = _end(scheduler) if scheduler.owner == BY_CONFIG[1] else None
    by_config = scheduler.owner in BY_CONFIG and (falling is not None or scheduler.name in MULTI_STEP)  # else they know the length themselves
    if (scheduler.owner and not by_config) or is_part(ctx.recipe, scheduler):
        return
    recipe = ctx.recipe
    if of_one_process(recipe, scheduler):
        yield ctx.finding("of-one-process", at=scheduler, kind=scheduler.name, setting=WITH_HORIZON[scheduler.name])
    counted = ("epochs" if scheduler.stepped == "epoch" else "steps") if by_config else unit(recipe, scheduler)
    turns = first(recipe.epochs if counted == "epochs" else recipe.steps) if by_config else times_stepped(recipe, scheduler)
    given = milestone_setting(scheduler) if scheduler.name in MULTI_STEP else falling[1] if falling is not None else horizon(scheduler)
    if not by_config and (given is None or turns is None):  # the number of batches follows from the data: both are compared in epochs
        given, turns, counted = horizon_in_epochs(recipe, scheduler), epochs_stepped_through(recipe, scheduler), "epochs"
    times = number(turns)
    if given is None or turns is None or times is None or times < ctx.limit("shortest"):
        return
    case, span = _judge(scheduler, given, times, ctx)
    if case is not None and not rises(scheduler):
        yield ctx.finding(
            case,
            at=turns if by_config else scheduler,  # the schedule may stand in a base that other configs share
            confidence="medium" if scheduler.flag_off or turns.weak != given.weak else None,
            value_from=given,
            setting="milestones" if scheduler.name in MULTI_STEP else falling[0] if falling is not None else WITH_HORIZON[scheduler.name],
            value=span, kind=scheduler.name, left=_left(scheduler), times=times, unit=counted, run=ctx.provenance(turns),
        )


def _by_engine(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """A schedule as long as there are batches, handed to the engine of DeepSpeed: that steps it once for all batches whose gradients it sums up."""
    recipe = ctx.recipe
    batches, run, plain = number(first(recipe.accumulation)), first(recipe.epochs), scheduler.kind.startswith("torch.")
    if not plain or batches is None or steps_of(recipe, scheduler) or not (by_loader(recipe) and steps_once_per_batch(recipe)):
        return
    if scheduler.name == "OneCycleLR" and not given_at_all(scheduler, "total_steps"):
        each, given = passes(recipe, scheduler.settings.get("steps_per_epoch")), first(scheduler.settings.get("epochs"))
        given = given if each is not None and number(each) == 1 else None
    else:
        given = passes(recipe, scheduler.settings.get(WITH_HORIZON.get(scheduler.name, "")))
    span, times = number(given), number(run)
    if given is None or run is None or span is None or times is None or times < ctx.limit("shortest") or given.weak != run.weak:
        return
    if len(training_loops(recipe)) == 1 and span * batches > times * ctx.limit("long"):
        yield ctx.finding("engine-steps", at=scheduler, value_from=given, value=batches, share=1 / batches)


def _end(scheduler: Scheduler) -> tuple[str, Known] | None:
    """Up to where a schedule of MMEngine falls from its beginning on, as the config writes it."""
    if scheduler.name not in FALLING or number(first(scheduler.settings.get("begin"))) not in (0, None):
        return None
    return next(((name, known) for name in ("T_max", "end") if (known := first(scheduler.settings.get(name))) is not None and number(known)), None)


def _judge(scheduler: Scheduler, given: Known, times: float, ctx: Context) -> tuple[str | None, float]:
    if scheduler.name in MULTI_STEP:
        marks = milestones(scheduler) or []
        beyond = [mark for mark in marks if mark > times]
        if marks and _over_early(scheduler, marks[-1], times, ctx):
            return "milestones-early", marks[-1]
        if not beyond or given.default is not None or setting(scheduler, "gamma") == 1:
            return None, 0  # scheduler-changes-nothing says that of a factor of one
        if len(beyond) == len(marks):  # scheduler-changes-nothing says that, of a schedule without warm-up
            return (None, 0) if scheduler.name == "MultiStepLR" else ("every-milestone-beyond", beyond[0])
        return ("most-milestones-beyond" if 2 * len(beyond) > len(marks) else "milestone-beyond"), beyond[0]
    span = number(given)
    if not span:
        return None, 0
    if span < times / ctx.limit("short") and scheduler.owner not in BY_CONFIG:  # where another schedule may follow
        return ENDS.get(scheduler.name, "ends-early"), span
    if span > times * ctx.limit("long"):
        return "never-arrives", span
    return None, span


def _over_early(scheduler: Scheduler, last: float, times: float, ctx: Context) -> bool:
    """True when the last decay of a long run comes near its start; a run that may stop early has no length to compare with."""
    if not ctx.limit("long_run") <= times < ctx.limit("unbounded") or last >= ctx.limit("early") * times or ctx.recipe.early_stopping:
        return False
    return _left(scheduler) <= ctx.limit("small")


def _left(scheduler: Scheduler) -> float:
    """The share of the rate that all milestones leave; 1 where that is not known."""
    marks, gamma = milestones(scheduler), setting(scheduler, "gamma")
    if gamma is None and scheduler.owner in BY_CONFIG and "gamma" not in scheduler.settings:
        gamma = 0.1  # the default of both libraries
    return gamma ** len(marks) if marks and gamma is not None and 0 < gamma <= 1 else 1.0
