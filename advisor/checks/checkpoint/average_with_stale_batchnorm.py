"""Averaged weights judged with the batch-norm statistics of other weights."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.facts import whole
from advisor.model.finding import Finding
from advisor.model.layers import batch_norms
from advisor.model.modes import evaluation_loop, held_out
from advisor.model.recipe import Module, Recipe
from advisor.model.source import value_of


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """An AveragedModel with batch norms that is evaluated or saved, whose statistics are neither averaged nor renewed."""
    if module.name != "AveragedModel" or module.statistics_renewed or value_of(module.settings.get("use_buffers")) is not False:
        return
    norms = batch_norms(module)
    if not norms:
        return
    if module.escaped:
        ctx.skip(f"the averaged model was handed to `{module.escaped}`, which could not be read", module)
        return
    if _runs_in_train_mode(module, ctx.recipe):
        return
    for event, context in events(ctx.recipe.tree, Kind.FORWARD):
        if event.subject is module and evaluation_loop(context) is not None:
            yield ctx.finding("evaluated", at=module, layer=norms[0].name, line=event.place)
            return
    for save in ctx.recipe.saves:
        if save.module is module:
            yield ctx.finding("saved", at=module, layer=norms[0].name, line=save.place)
            return


def _runs_in_train_mode(module: Module, recipe: Recipe) -> bool:
    """True where the program renews the statistics itself: data that is not held out goes through the average while it is not in eval mode."""
    parts, in_eval = whole(module), False
    for event, context in events(recipe.tree, Kind.FORWARD, Kind.EVAL_MODE, Kind.TRAIN_MODE, Kind.MODE_UNKNOWN):
        subject = event.subject
        if not isinstance(subject, Module) or (subject not in parts and module not in whole(subject)):
            continue
        if event.kind is not Kind.FORWARD:
            in_eval = event.kind is Kind.EVAL_MODE
        elif not in_eval and context.loops and not any(map(held_out, context.loops)):
            return True
    return False
