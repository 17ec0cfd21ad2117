"""Models that go through all folds of a cross-validation with the weights that earlier folds left them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Call, Event, Exit, Kind, Loop, events, walk
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.modes import evaluation_forwards
from advisor.model.recipe import Module, Optimizer, Recipe, Split

CROSSING = ("Fold", "ShuffleSplit", "LeaveOneOut", "LeaveOneGroupOut")  # a split of a time series lets only the past come again
ANEW = (Kind.RESTORE, Kind.COPY, Kind.GRAD_WRITE, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.UNTOLD)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each loop over folds that trains a model built before it, which nothing in the loop sets back, and measures it."""
    if not (recipe.trains and recipe.whole):
        return
    for event, around in events(recipe.tree, Kind.SPLIT):
        if not isinstance(event.subject, Split) or not event.subject.kind.endswith(CROSSING):
            continue
        loop, models = _trained(event, recipe)
        if loop is None or not models or _sets_back(loop, models):
            continue
        measured = {forward.subject.slot for forward, context, _ in evaluation_forwards(recipe) if loop in context.loops}
        for model in models:
            if model.slot in measured and _built_before(model, around, recipe):
                flagged = event.subject.flag_off or model.flag_off
                kind = event.subject.kind.rpartition(".")[2]
                yield ctx.finding("carried-on", at=event, confidence="medium" if flagged else None, model=model.name, line=model.place, folds=kind)
                break


def _trained(split: Event, recipe: Recipe) -> tuple[Loop | None, list[Module]]:
    """The loop over the folds, and the models that each of its turns trains, under no condition."""
    for step, context in events(recipe.tree, Kind.OPTIMIZER_STEP):
        loop = next((one for one in context.loops if one.place.file == split.place.file and one.place.line == split.place.line), None)
        training = training_loop(context)
        if loop is None or training is None or training.batch is loop or not isinstance(step.subject, Optimizer):
            continue
        between = context.path[context.path.index(loop) : context.path.index(training.batch)]
        if not any(isinstance(node, tuple) for node in between):
            return loop, list(step.subject.modules)
    return None, []


def _sets_back(loop: Loop, models: list[Module]) -> bool:
    """True where a turn may give a model other weights than the last one left, or is the only one."""
    parts = {part.slot for model in models for part in model.walk()}
    for node, context in walk(loop.body):
        if isinstance(node, Event):
            drawn = node.kind is Kind.DRAW and node.data.get("use") == "init"
            built = node.kind is Kind.BUILD and isinstance(node.subject, Module)
            if drawn or built or node.kind in ANEW:
                return True
        elif isinstance(node, Exit) and node.what in ("break", "return", "continue") and not context.loops and not context.calls:
            return True
        elif isinstance(node, Call) and isinstance(node.of, Module) and node.of.slot in parts and node.name != "forward":
            if not any(isinstance(call.of, Module) for call in context.calls):
                return True  # a method of the model, which may begin anew
    return False


def _built_before(model: Module, around: Around, recipe: Recipe) -> bool:
    """True for a model that is built once before the loop, and is not one of several that a line builds: one for each fold."""
    if any(other.place == model.place and other.kind == model.kind and other.slot is not model.slot for other in recipe.modules):
        return False
    built = [context for event, context in events(recipe.tree, Kind.BUILD) if isinstance(event.subject, Module) and event.subject.slot is model.slot]
    return bool(built) and model.loops <= len(around.loops) and all(set(context.loops) <= set(around.loops) for context in built)
