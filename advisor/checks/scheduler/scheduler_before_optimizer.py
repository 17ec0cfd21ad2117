"""Schedulers that are stepped before the optimizer has stepped once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Everything, Order, cadence, epoch_loop, guards, needs_flag, training_loop, violations
from advisor.model.gradients import escaped
from advisor.model.recipe import Optimizer, Recipe, Scheduler
from advisor.model.schedules import PLATEAU, alternatives, begins_at_zero, first_change, moves_at_once, times_stepped
from advisor.model.source import Link, number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Building a scheduler arms it, a step of its optimizer disarms it, its own step is checked."""

    def disarmed(event: Event) -> Iterable[Scheduler] | Everything:
        if event.kind is not Kind.OPTIMIZER_STEP:
            return escaped(event)  # type: ignore[return-value]
        optimizer = event.subject
        if not isinstance(optimizer, Optimizer):
            return list(recipe.schedulers)
        return [s for s in recipe.schedulers if s.optimizer is None or not s.optimizer_known or s.optimizer.slot is optimizer.slot]

    seen = set()
    for found in violations(recipe.tree, Order(checks=_stepped, clears=disarmed, arms=_built)):
        each = cadence(found.context)
        scheduler = found.event.subject
        step = _step_after(found.event, found.context, scheduler)
        if each == "once" or step is None or found.thing in seen or _conditional(found.context):
            continue
        if any(begins_at_zero(other) for other in alternatives(recipe, scheduler)):
            continue  # it leaves out a rate of zero; and what is right for one schedule is no fault of another that a flag may choose
        if scheduler.optimizer is not None and scheduler.optimizer.escaped:
            ctx.skip(f"the optimizer was handed to `{scheduler.optimizer.escaped}`, which could not be read", found.event)
            continue
        seen.add(found.thing)
        case = each if moves_at_once(scheduler) else "shifted"
        if case == "shifted" and (each == "batch" or _outlasts(recipe, scheduler)):
            continue  # one batch too early is nothing
        evidence = [Link(step.place.file, step.place.line, "the optimizer steps here")]
        yield ctx.finding(case, at=found.event, confidence="medium" if needs_flag(found.context) else None, evidence=evidence, line=step.place)


def _outlasts(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True where the first rate lasts for the whole run: nothing comes too early."""
    change, times = first_change(scheduler)[1], number(times_stepped(recipe, scheduler))
    return scheduler.name.startswith("constant") or (change is not None and times is not None and change > times)


def _built(event: Event) -> Iterable[Scheduler]:
    return (event.subject,) if event.kind is Kind.BUILD and isinstance(event.subject, Scheduler) else ()


def _stepped(event: Event) -> Iterable[Scheduler]:
    """A library scheduler stepped without an epoch of its own choice. A plateau scheduler has no first step to lose."""
    scheduler = event.subject
    if event.kind is not Kind.SCHEDULER_STEP or not isinstance(scheduler, Scheduler) or event.data.get("arguments"):
        return ()
    return (scheduler,) if scheduler.kind.startswith(("torch.", "transformers.")) and scheduler.name != PLATEAU else ()


def _conditional(context: Around) -> bool:
    """True when the step waits for something inside its loop, such as `if epoch > 0`."""
    loop = training_loop(context)
    return bool(guards(context, inside=loop.batch if loop is not None else epoch_loop(context)))


def _step_after(tick: Event, context: Around, scheduler: Scheduler) -> Event | None:
    """The step of its optimizer that comes later in the same turn."""
    after = False
    for event, _ in events(context.loops[-1].body if context.loops else [], Kind.SCHEDULER_STEP, Kind.OPTIMIZER_STEP):
        after = after or event is tick
        if after and scheduler.optimizer is not None and isinstance(event.subject, Optimizer) and event.subject.slot is scheduler.optimizer.slot:
            return event
    return None
