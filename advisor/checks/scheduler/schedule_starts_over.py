"""Schedules that begin again where a run goes on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Loop
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop, cadence, epoch_loop
from advisor.model.recipe import Recipe, Scheduler
from advisor.model.resuming import Resume, resumes
from advisor.model.schedules import alternatives, anew, is_part, steps_of
from advisor.model.source import Known, is_absent

FROM_THE_START = -1  # last_epoch of a new schedule


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each scheduler of a run that goes on from a saved epoch, when nothing tells it from which."""
    for resume in resumes(recipe):
        if "scheduler" in resume.kinds or resume.reads("sched") or resume.reads("lr") or resume.escaped is not None:
            continue
        for scheduler in recipe.schedulers:
            loop = _loop(recipe, resume, scheduler)
            case = _case(recipe, resume, scheduler) if loop is not None else None
            if loop is not None and case is not None:
                yield ctx.finding(case, at=loop.place, kind=scheduler.name, key=resume.counter, line=resume.restores[0].place)
                break


def _case(recipe: Recipe, resume: Resume, scheduler: Scheduler) -> str | None:
    """What it begins again with. The state of an optimizer holds the rate that was reached, and some schedules go on from it."""
    held = [restore.optimizer for restore in recipe.restores if "optimizer" in restore.parts.values()]
    own = scheduler.optimizer
    restored = any(optimizer is None or own is None or optimizer.slot is own.slot for optimizer in held)
    again = anew(scheduler) if restored or resume.reads("optim") else "rate"
    return "not-restored" if again == "rate" else "counts-again" if again == "count" else None


def _loop(recipe: Recipe, resume: Resume, scheduler: Scheduler) -> Loop | None:
    """The loop over epochs in which it is stepped; None when that is another training, or it is told where it stands, or may be."""
    told = any(_is_told(other) for other in alternatives(recipe, scheduler))  # one is built where a run goes on, the other where it begins
    if told or scheduler.name == "ReduceLROnPlateau" or scheduler.escaped is not None or scheduler.when is not None or is_part(recipe, scheduler):
        return None
    steps = steps_of(recipe, scheduler)
    if not steps or any(_tells(event, around) for event, around in steps):
        return None
    around = next((around for _, around in steps if resume.goes_on(around)), None)
    return (epoch_loop(around) or batch_loop(around)) if around is not None else None


def _is_told(scheduler: Scheduler) -> bool:
    """True where its last_epoch may be another than that of a new schedule, on whatever way."""
    last = scheduler.settings.get("last_epoch")
    return not is_absent(last) and not (isinstance(last, Known) and last.value == FROM_THE_START)


def _tells(event: Event, around: Around) -> bool:
    """True for `step(epoch)`, and for steps outside training, which lead it to where the run goes on."""
    return bool(event.data.get("arguments")) or cadence(around) == "once"
