"""The data that models are given in the rounds of training, and when it is done."""

from __future__ import annotations

from advisor.model.events import Kind, events
from advisor.model.finished import once
from advisor.model.folds import loaders, training_loops
from advisor.model.recipe import Flow, Loader, Recipe


@once
def final_data(recipe: Recipe) -> frozenset[object]:
    """The loaders, and the parts of splits, that a model is given when training is done: what comes of it is the result of the run."""
    return _given(recipe)[1]


@once
def data_of_rounds(recipe: Recipe) -> frozenset[object]:
    """The loaders, and the parts of splits, that a model is given in the rounds of training."""
    return _given(recipe)[0]


@once
def _given(recipe: Recipe) -> tuple[frozenset[object], frozenset[object]]:
    """The data that models are given while training goes on, and when it is done."""
    rounds = {found.epoch or found.batch for found in training_loops(recipe)}
    during: set[object] = set()
    after: set[object] = set()
    trained = False
    for event, context in events(recipe.tree, Kind.BACKWARD, Kind.FORWARD):
        inside = not rounds.isdisjoint(context.loops)
        if event.kind is Kind.BACKWARD:
            trained = True
        elif trained or inside:
            found = during if inside else after
            found.update(loader.slot for loop in context.loops for loader in loaders(loop))
            given = event.data.get("input") or Flow()
            found.update(source for source in (given.source, *given.sources) if isinstance(source, tuple))
    return frozenset(during), frozenset(after)


@once
def measured_when_done(recipe: Recipe) -> frozenset[Loader]:
    """The loaders that are gone over when training is done, by a model that is run or was put into eval mode: it may generate what is judged."""
    rounds = {found.epoch or found.batch for found in training_loops(recipe)}
    found: set[Loader] = set()
    trained = switched = False
    for event, context in events(recipe.tree):
        if event.kind is Kind.BACKWARD:
            trained, switched = True, False
        elif trained and rounds.isdisjoint(context.loops):
            switched = switched or event.kind is Kind.EVAL_MODE
            if switched or event.kind is Kind.FORWARD:
                found.update(loader for loop in context.loops for loader in loaders(loop))
    return frozenset(found)
