"""The data that models are given in the rounds of training, and when it is done."""

from __future__ import annotations

from advisor.model.events import Call, Context, Kind, Loop, events
from advisor.model.finished import once
from advisor.model.folds import guards, loaders, training_loops
from advisor.model.recipe import Flow, Loader, Module, Recipe
from advisor.model.source import Place


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
def first_tests(recipe: Recipe) -> tuple[tuple[Module, Place], ...]:
    """The models that are run, when training is done, on data that no round went over, each with the line beside the training that leads there."""
    rounds = {found.epoch or found.batch for found in training_loops(recipe)}
    seen = data_of_rounds(recipe)
    found: list[tuple[Module, Place]] = []
    trained: Context | None = None
    for event, context in events(recipe.tree, Kind.BACKWARD, Kind.FORWARD):
        if event.kind is Kind.BACKWARD:
            trained = context
        elif trained is not None and rounds.isdisjoint(context.loops) and isinstance(event.subject, Module):
            over = {loader for loop in context.loops for loader in loaders(loop)}
            if any(_is_apart(loader, seen) for loader in over) and not _opposed(context, trained):
                nodes = [node for node in context.nodes if node not in trained.nodes]
                found.append((event.subject, next((node.place for node in nodes if isinstance(node, (Call, Loop))), event.place)))
    return tuple(found)


def _is_apart(loader: Loader, seen: frozenset[object]) -> bool:
    """True for data of a test: they are those of no round, as far as the loaders tell that were seen."""
    if loader.role == "train" or loader.slot in seen:
        return False
    rounds = [other.dataset for other in seen if isinstance(other, Loader)]
    return loader.role == "test" or (loader.dataset is not None and None not in rounds and loader.dataset not in rounds)


def _opposed(one: Context, other: Context) -> bool:
    """True for two places of which a run comes to one only."""
    return any((key, not holds) in guards(other) for key, holds in guards(one))


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
