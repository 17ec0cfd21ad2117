"""Schedulers that are built and never stepped."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.gradients import escaped_to, owned
from advisor.model.recipe import Optimizer, Recipe, Scheduler
from advisor.model.schedules import WARMING, alternatives, is_part, steps_of
from advisor.model.source import Known


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """One finding for a name, whatever constructions it may hold; only where its optimizer is seen to step."""
    recipe = ctx.recipe
    if scheduler.slot is not scheduler or "step" in recipe.owner_silences or is_part(recipe, scheduler) or steps_of(recipe, scheduler):
        return
    held = alternatives(recipe, scheduler)
    if any(other.owner or other.stepped in ("epoch", "batch") for other in held):
        return
    optimizer = scheduler.optimizer
    stepping = {event.subject.slot for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)}
    if _one_epoch(scheduler, recipe):
        return
    if optimizer is None or optimizer.slot not in stepping or owned(recipe, optimizer.slot):
        return
    if any(other.optimizer is not None and other.optimizer.slot is optimizer.slot and steps_of(recipe, other) for other in recipe.schedulers):
        return  # its name holds another one since, and the rate follows that
    if any(other.step_off for other in held):
        ctx.skip("the program has switched its step off", scheduler)
        return
    handed = next((other.escaped for other in held if other.escaped), None) or escaped_to(recipe, optimizer.slot)
    if handed:
        ctx.skip(f"the scheduler or its optimizer was handed to `{handed}`, which could not be read", scheduler)
    elif any(not isinstance(event.subject, Scheduler) for event, _ in events(recipe.tree, Kind.SCHEDULER_STEP)):
        ctx.skip("a scheduler that could not be told is stepped", scheduler)
    elif any(event.subject is None for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)):
        ctx.skip("something is stepped of which it is not known what it is", scheduler)
    else:
        flagged = all(other.flag_off for other in held)
        yield ctx.finding("never", at=scheduler, confidence="medium" if flagged else None, optimizer=optimizer.name)


def _one_epoch(scheduler: Scheduler, recipe: Recipe) -> bool:
    """True where the run has a single epoch, after which a schedule that counts epochs would change nothing any more."""
    epochs = recipe.epochs
    counts_batches = scheduler.name in WARMING or not scheduler.kind.startswith("torch.")
    return isinstance(epochs, Known) and epochs.value == 1 and not epochs.weak and not counts_batches
