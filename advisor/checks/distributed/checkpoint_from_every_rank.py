"""Checkpoints that every process writes to one file."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.modes import trained_modules
from advisor.model.recipe import Recipe, Save
from advisor.model.sharding import by_all, one_file, one_rank_alone, prepared, replicated, sharded


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save of a replicated program that no condition on the rank stands around."""
    model = replicated(recipe)
    prepared_at = prepared(recipe) if model is None else None
    if (model is None and prepared_at is None) or sharded(recipe) or recipe.framework != "plain":
        return
    saves = list(events(recipe.tree, Kind.SAVE))
    guarded = {event.place for event, context in saves if one_rank_alone(context, recipe)}  # one call of a function tells for all
    for event, _ in saves:
        save = event.subject
        if not isinstance(save, Save) or save.memory != "file" or save.told_rank or event.place in guarded or not by_all(event, recipe):
            continue
        if model is None and _of_another_run(save, recipe):
            continue
        if not one_file(save.path):
            ctx.skip("the name of the file is not known and may hold the rank", save)
            continue
        if model is not None:
            yield ctx.finding("all-write", at=save, confidence="medium" if model.when or save.when else None, line=model.place)
        else:
            yield ctx.finding("all-write-prepared", at=save, line=prepared_at)
        return


def _of_another_run(save: Save, recipe: Recipe) -> bool:
    """True for models that are trained as they are, where it is others that Accelerate was given: an option chooses between two runs."""
    trained = {part for module in trained_modules(recipe) for part in module.walk()}
    return bool(save.modules) and all(module.prepared is None and not trained.isdisjoint(module.walk()) for module in save.modules)
