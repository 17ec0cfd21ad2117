"""Checkpoints that are put together and never written, saves that are commented out, and long training that nothing keeps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.kinds import is_test
from advisor.model.randomness import is_run
from advisor.model.recipe import Recipe
from advisor.model.source import number
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
        yield from _nowhere(recipe, ctx)


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
