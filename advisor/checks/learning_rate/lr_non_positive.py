"""A rate of zero or less that nothing raises."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as EventContext
from advisor.model.events import Kind, events
from advisor.model.finding import Confidence, Finding
from advisor.model.folds import cadence, training_loop
from advisor.model.kinds import is_test
from advisor.model.rates import rates, rates_known, schedulers_of, turns_with, unsettled
from advisor.model.recipe import Optimizer, Recipe, Restore, Scheduler
from advisor.model.schedules import is_part, steps_of
from advisor.model.source import Known, Place, number


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer with a negative rate, or with none above zero: a single group at zero is frozen on purpose."""
    if is_test(ctx.recipe.entry, ctx.recipe) or is_test(optimizer.place.file, ctx.recipe):
        return
    yield from _written(optimizer, ctx)
    yield from _scheduled(optimizer, ctx)
    found = list(rates(ctx.recipe, optimizer))
    if all(rate.value > 0 for rate in found):
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    loaded = (event.subject for event, _ in events(ctx.recipe.tree, Kind.RESTORE) if isinstance(event.subject, Restore))
    if any(restore.optimizer is not None and restore.optimizer.slot is optimizer.slot for restore in loaded):
        ctx.skip("what is loaded into the optimizer brings a rate of its own", optimizer)
        return
    negative = [rate for rate in found if rate.value < 0]
    steps = (event.subject for event, _ in events(ctx.recipe.tree, Kind.OPTIMIZER_STEP))
    stepped = any(isinstance(subject, Optimizer) and subject.slot is optimizer.slot for subject in steps)
    still = found if stepped and rates_known(ctx.recipe, optimizer) and all(rate.value <= 0 for rate in found) else []
    for rate in negative[:1] or still[:1]:
        case = "negative" if negative else "zero"
        yield ctx.finding(case, at=optimizer, value_from=rate.known, confidence=None if rate.default_path else "medium", value=rate.value)


def _written(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """A rate that the program writes into the groups itself: negative in the first turn or the last, or zero for all of the first epoch."""
    for rate in optimizer.written:
        steps = turns_with(ctx.recipe, optimizer, rate)
        if not steps:
            continue
        last = rate.last if rate.last is not None else 0
        if rate.first < 0 or last < 0:
            value, turn = (rate.first, 1) if rate.first < 0 else (last, rate.turns)
            yield ctx.finding("written-negative", at=rate.place, value=value, turn=turn, loop=rate.loop.line)
        elif rate.first == 0 and rate.once and rate.peak and all(_batches_below(context, rate.loop) for context in steps):
            yield ctx.finding("first-epoch", at=rate.place, loop=rate.loop.line)


def _scheduled(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """A schedule that begins at zero, and that is stepped for the first time when an epoch is over."""
    if optimizer.owner is not None or optimizer.lr_writes or optimizer.escaped:
        return
    for scheduler in schedulers_of(ctx.recipe, optimizer):
        begun = number(scheduler.settings.get("last_epoch", Known(-1)))
        if scheduler.owner is not None or scheduler.escaped or scheduler.kept_by_hand or begun != -1 or not _begins_at_zero(scheduler):
            continue
        steps = steps_of(ctx.recipe, scheduler)
        if is_part(ctx.recipe, scheduler) or not steps or any(event.data.get("arguments") or cadence(around) != "epoch" for event, around in steps):
            continue
        if _waits_an_epoch(optimizer, scheduler, ctx.recipe):
            sure: Confidence | None = "medium" if scheduler.flag_off else None
            yield ctx.finding("first-epoch-scheduled", at=scheduler, confidence=sure, kind=scheduler.name, line=steps[0][0].place)


def _begins_at_zero(scheduler: Scheduler) -> bool:
    """True for a schedule whose first share is none, by its text or by what Transformers makes of a warm-up."""
    return scheduler.begins == 0 or (scheduler.name.endswith("_with_warmup") and (number(scheduler.settings.get("num_warmup_steps")) or 0) >= 1)


def _waits_an_epoch(optimizer: Optimizer, scheduler: Scheduler, recipe: Recipe) -> bool:
    """True where nothing gives another rate before all batches of an epoch were gone through, and the schedule alone does then."""
    seen = False
    for event, context in events(recipe.tree, Kind.OPTIMIZER_STEP, Kind.SCHEDULER_STEP):
        if event.kind is Kind.OPTIMIZER_STEP and isinstance(event.subject, Optimizer) and event.subject.slot is optimizer.slot:
            loop = training_loop(context)
            if loop is None or not loop.by_loader or loop.epoch is None or loop.epoch is loop.batch:
                return False
            seen = True
        elif event.kind is Kind.SCHEDULER_STEP and isinstance(event.subject, Scheduler) and event.subject.optimizer in (None, optimizer):
            own = event.subject.slot is scheduler.slot
            if not own or not seen or cadence(context) != "epoch":
                return False
    return seen


def _batches_below(context: EventContext, place: Place) -> bool:
    """True where each turn of the loop goes through the batches of a loader, and steps in each."""
    loop = training_loop(context)
    return loop is not None and loop.by_loader and loop.epoch is not loop.batch and loop.epoch is not None and loop.epoch.place == place
