"""How long a scheduler raises the rate before it lets it fall."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.recipe import Recipe, Scheduler
from advisor.model.source import ABSENT, Known, Setting, first, number

WARMUP_ARGUMENTS = ("num_warmup_steps", "warmup_steps", "warmup_epochs", "num_warmup_epochs", "warmup_t")


def warmup_steps(scheduler: Scheduler) -> float | None:
    """The warm-up in steps of this scheduler; None when there is none or it is not known."""
    return number(warmup(scheduler))


def warmup(scheduler: Scheduler) -> Known | None:
    """The setting that says so."""
    return next((known for held in warmups(scheduler) if (known := first(held)) is not None and number(known)), None)


def warmups(scheduler: Scheduler) -> Iterator[Setting]:
    """The settings that say how long this scheduler, or a part of it, raises the rate."""
    for child in scheduler.children:
        yield from warmups(child)
    if scheduler.name == "LinearLR":
        start, end = number(first(scheduler.settings.get("start_factor"))), number(first(scheduler.settings.get("end_factor")))
        if start is not None and end is not None and start < end:
            yield scheduler.settings.get("total_iters", ABSENT)
    elif not scheduler.children:
        yield from (scheduler.settings.get(name, ABSENT) for name in WARMUP_ARGUMENTS)


def warmup_epochs(scheduler: Scheduler, recipe: Recipe) -> float | None:
    """The warm-up in epochs, by how often the scheduler is stepped; None when that is not known."""
    warmup = warmup_steps(scheduler)
    if warmup is None or scheduler.stepped == "epoch":
        return warmup
    steps, epochs = number(first(recipe.steps)), number(first(recipe.epochs))
    return warmup * epochs / steps if scheduler.stepped == "batch" and steps and epochs else None
