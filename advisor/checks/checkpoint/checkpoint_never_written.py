"""Checkpoints that are put together and never written, saves that are commented out, and long training that nothing keeps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Call, Kind, Loop, events
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.kinds import is_test
from advisor.model.randomness import is_run
from advisor.model.recipe import Recipe, Restore
from advisor.model.source import Place, number, value_of
from advisor.model.stopping import after_training

TENSORS = "torch.utils.data.TensorDataset"

WEIGHTS = ("model-state", "model", "unknown")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A dict of states under a name that nothing reads, told once; else, where nothing keeps the weights, the comment that would."""
    for event, _ in events(recipe.tree, Kind.DISCARD):
        if event.data.get("named") and event.data.get("of") == "checkpoint" and recipe.trains and not is_test(event.place.file, recipe):
            saved = next((save for save in recipe.saves if save.memory == "file" and not {*save.parts.values()}.isdisjoint(WEIGHTS)), None)
            name = event.data.get("what", "")
            if saved is None:
                yield ctx.finding("unwritten", at=event, name=name)
            else:
                yield ctx.finding("left-over", at=event, name=name, line=saved.place)
            return
    if recipe.save_left_out is not None and not recipe.measures_speed:
        yield ctx.finding("commented-out", at=recipe.save_left_out)
    elif recipe.save_named is not None and is_run(recipe) and not recipe.measures_speed:
        yield ctx.finding("named", at=recipe.save_named[0], name=recipe.save_named[1])
    elif recipe.unsaved:
        asked = _asked_for(recipe)
        if asked is not None and is_run(recipe) and not recipe.measures_speed:
            yield ctx.finding("asked-for", at=asked[0], line=asked[1].place)
        else:
            yield from _nowhere(recipe, ctx)


def _asked_for(recipe: Recipe) -> tuple[Place, Restore] | None:
    """Where the training begins whose weights another run is to load: a branch leads there, or to what loads such a model, and no other does."""
    trained = list(events(recipe.tree, Kind.BACKWARD))
    found: tuple[Place, Restore] | None = None
    for event, context in events(recipe.tree, Kind.RESTORE):
        restore = event.subject
        if not isinstance(restore, Restore) or restore.module is None or not {*restore.parts.values()} <= {"model-state", "model"}:
            return None
        opposed = [_opposed(around, context) for _, around in trained]
        same = any(restore.module.kind == model.kind for model in recipe.models if model.user_class)
        if not same or restore.loaded is None or str(value_of(restore.loaded.path)).startswith("http") or None in opposed:
            return None
        found = found or (opposed[0] or restore.place, restore)
    return found


def _opposed(one: Around, other: Around) -> Place | None:
    """Where the way of one place leads after a branch that sends the other another way."""
    for depth, node in enumerate(one.path):
        if isinstance(node, tuple) and any(branch is node[0] and arm is not node[1] for branch, arm in other.arms):
            return next((inner.place for inner in one.nodes[depth + 1 :] if isinstance(inner, (Call, Loop))), None)
    return None


def _nowhere(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """One training on data of its own, for many epochs, whose model is of no more use when the last is over."""
    loops, epochs = training_loops(recipe), number(recipe.epochs)
    if not is_run(recipe) or recipe.measures_speed or recipe.saves.items or recipe.restores.items:
        return  # weights that were loaded are measured by what a layer on top of them learns
    if len(loops) != 1 or epochs is None or epochs < ctx.limit("many"):
        return
    training = loops[0]
    if training.epoch is None or not training.by_loader or training.around[0] is not training.epoch:
        return  # in a loop around it settings or folds are compared: the scores are the result
    held = [loader.dataset for loader in recipe.loaders]
    if not held or any(dataset is None or dataset.drawn or dataset.kind == TENSORS for dataset in held):
        return  # tensors may be numbers that were drawn to try something out
    if after_training(recipe, Kind.FORWARD, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.RESTORE, Kind.UNTOLD):
        return
    yield ctx.finding("nowhere", at=training.epoch, value=epochs)
