"""Evaluation data that a trainer is given and never looks at."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.kinds import is_test
from advisor.model.recipe import IdleEvaluation, Recipe
from advisor.model.source import number


def check(idle: IdleEvaluation, ctx: Context) -> Iterator[Finding]:
    """Each trainer whose settings keep it from its evaluation data, in a program that does not measure the model by itself."""
    if idle.asked or is_test(ctx.recipe.entry, ctx.recipe) or _measured_by_hand(ctx.recipe):
        return
    if idle.why == "strategy":
        yield ctx.finding("never", at=idle, taker=idle.taker)
    elif idle.why == "nothing":
        yield ctx.finding("no-data", at=idle, taker=idle.taker, every=number(idle.every) or 0)
    else:
        yield ctx.finding("late", at=idle, taker=idle.taker, every=number(idle.every) or 0, steps=number(idle.steps) or 0)


def _measured_by_hand(recipe: Recipe) -> bool:
    """True where the model is run outside of training, or handed to what could not be read and may run it."""
    if any(model.escaped for model in recipe.modules):
        return True
    return any(training_loop(context) is None for _, context in events(recipe.tree, Kind.FORWARD))
