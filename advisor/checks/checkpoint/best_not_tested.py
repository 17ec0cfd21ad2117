"""A test of the weights that training left, where the program or a callback keeps the best ones."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.facts import wholes
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.kinds import is_test
from advisor.model.metrics import of_training
from advisor.model.recipe import Flow, Loader, Recipe, Save
from advisor.model.resuming import WEIGHTS
from advisor.model.rounds import first_tests
from advisor.model.source import number, value_of


def check(save: Save, ctx: Context) -> Iterator[Finding]:
    """A callback, or a comparison in the loop, that keeps the best weights of a run whose last ones alone are tested."""
    if is_test(ctx.recipe.entry, ctx.recipe):
        return
    if save.tested_last is not None and not save.tested_best:
        yield ctx.finding("last-weights", at=save.tested_last, metric=value_of(save.watched) or "its metric")
    elif save.monitor is not None and _is_chosen(save, save.monitor) and _never_loaded(save, ctx.recipe):
        held = wholes(save.modules or ((save.module,) if save.module is not None else ()))
        for model, at in first_tests(ctx.recipe):
            if model in held:
                yield ctx.finding("never-loaded", at=at, metric=save.monitor.metric or "metric", line=save.place)
                return


def _is_chosen(save: Save, flow: Flow) -> bool:
    """True for weights that a loop writes to one file where a score of other data than those of training is the best so far."""
    if not save.best or save.memory != "file" or not save.one_file or WEIGHTS.isdisjoint(save.parts.values()):
        return False
    sources = [source for source in (flow.source, *flow.sources) if isinstance(source, Loader)]
    return bool(sources) and all(source.role != "train" for source in sources) and not of_training(flow.metric or "")


def _never_loaded(save: Save, recipe: Recipe) -> bool:
    """True where all that is done with the weights of a run of several epochs was seen, and nothing is loaded once it has begun."""
    seen = recipe.trains and recipe.whole and recipe.saves.complete and recipe.restores.complete and save.escaped is None
    if not seen or "restore" in recipe.owner_silences or number(recipe.epochs) == 1:
        return False
    rounds = {loop.epoch or loop.batch for loop in training_loops(recipe)}
    began = False
    for event, context in events(recipe.tree, Kind.BACKWARD, Kind.RESTORE, Kind.AVERAGE):
        began = began or event.kind is Kind.BACKWARD
        if event.kind is not Kind.BACKWARD and (began or not rounds.isdisjoint(context.loops)):
            return False
    return began
