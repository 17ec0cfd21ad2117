"""How long a scheduler raises the rate before it lets it fall."""

from __future__ import annotations

from advisor.model.recipe import Recipe, Scheduler
from advisor.model.source import first, number

WARMUP_ARGUMENTS = ("num_warmup_steps", "warmup_steps", "warmup_epochs", "num_warmup_epochs", "warmup_t")


def warmup_steps(scheduler: Scheduler) -> float | None:
    """The warm-up in steps of this scheduler; None when there is none or it is not known."""
    if scheduler.children:
        return next((steps for steps in map(warmup_steps, scheduler.children) if steps), None)
    if scheduler.name == "LinearLR":
        start, end = number(first(scheduler.settings.get("start_factor"))), number(first(scheduler.settings.get("end_factor")))
        rises = start is not None and end is not None and start < end
        return number(first(scheduler.settings.get("total_iters"))) if rises else None
    given = (number(first(scheduler.settings.get(name))) for name in WARMUP_ARGUMENTS)
    return next((steps for steps in given if steps), None)


def warmup_epochs(scheduler: Scheduler, recipe: Recipe) -> float | None:
    """The warm-up in epochs, by how often the scheduler is stepped; None when that is not known."""
    warmup = warmup_steps(scheduler)
    if warmup is None or scheduler.stepped == "epoch":
        return warmup
    steps, epochs = number(first(recipe.steps)), number(first(recipe.epochs))
    return warmup * epochs / steps if scheduler.stepped == "batch" and steps and epochs else None
