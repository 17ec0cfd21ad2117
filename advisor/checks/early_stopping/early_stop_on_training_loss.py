"""Early stopping that watches the data the model is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import loaders
from advisor.model.metrics import direction_of
from advisor.model.recipe import EarlyStopping, Recipe
from advisor.model.rounds import data_of_rounds, final_data
from advisor.model.stopping import is_judged, metric_of, on_training_data, patience_of, rounds_counted


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """Worse where the program has held-out data and does not use them for the decision."""
    if not is_judged(stop, ctx.recipe) or not on_training_data(stop):
        return
    patience = patience_of(stop)
    if patience is not None and patience[1] >= ctx.limit("off"):
        return
    case = "held-out-unused" if _could_decide(stop, ctx.recipe) else "nothing-held-out"
    name = metric_of(stop)
    if (name is None or direction_of(name) is None) and stop.flow is not None and stop.flow.losses:
        name = "loss"  # `delta = lowest - loss`
    yield ctx.finding(case, at=stop, metric=name or "metric")


def _could_decide(stop: EarlyStopping, recipe: Recipe) -> bool:
    """True for held-out data that are there for decisions, in the stage that it stops: what a model is given when training is done is its test."""
    stage = rounds_counted(stop, recipe)
    if stage:
        within = [context.loops for _, context in events(recipe.tree, Kind.FORWARD) if not stage.isdisjoint(context.loops)]
        return any(loader.role == "validation" for loops in within for loop in loops for loader in loaders(loop))
    if any(dataset.role == "validation" for dataset in recipe.datasets):
        return True
    last = final_data(recipe) - data_of_rounds(recipe)
    unused = recipe.framework == "lightning"  # whose loop over them is read, and runs where there is a validation_step alone
    return any(loader.role == "validation" and loader.slot not in last and not (unused and not loader.iterated) for loader in recipe.loaders)
