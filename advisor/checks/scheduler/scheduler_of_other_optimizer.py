"""Schedulers bound to an optimizer that nobody steps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.gradients import escaped_to, holds_some, owned
from advisor.model.recipe import Optimizer, Scheduler
from advisor.model.schedules import is_part, steps_of
from advisor.model.source import Link


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """A scheduler that is stepped, of an optimizer that is not, while another one moves the same weights."""
    recipe, optimizer = ctx.recipe, scheduler.optimizer
    if optimizer is None or not scheduler.optimizer_known or scheduler.owner or is_part(recipe, scheduler):
        return
    if all(cadence(context) == "once" for _, context in steps_of(recipe, scheduler)):  # apart from training its rates are only looked at
        return
    subjects = [event.subject for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    stepping = [subject for subject in subjects if isinstance(subject, Optimizer)]
    if not stepping or any(_one_rate(subject, optimizer) for subject in stepping) or owned(recipe, optimizer.slot):
        return
    if len(stepping) < len(subjects) or escaped_to(recipe, optimizer.slot):
        ctx.skip("an optimizer that could not be told is stepped", scheduler)
        return
    other = next((held for held in reversed(stepping) if not optimizer.modules or holds_some(held, optimizer.modules)), None)
    if other is not None:
        evidence = [
            Link(other.place.file, other.place.line, f"{other.name}, which is stepped"),
            Link(scheduler.place.file, scheduler.place.line, f"{scheduler.name}, which writes to another one"),
        ]
        yield ctx.finding(
            "other",
            at=other,
            evidence=evidence,
            optimizer=optimizer.name,
            line=optimizer.place,
            other=other.name,
            other_line=other.place,
            built=scheduler.place,
        )


def _one_rate(subject: Optimizer, optimizer: Optimizer) -> bool:
    """True for one optimizer, and for two that share their groups: one wraps the other."""
    sharing = [shared.slot for shared in (subject.groups_of, optimizer.groups_of) if shared is not None]
    return subject.slot is optimizer.slot or subject.slot in sharing or optimizer.slot in sharing
