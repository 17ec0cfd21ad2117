"""Averaged weights judged with the batch-norm statistics of other weights."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.layers import batch_norms
from advisor.model.modes import evaluation_loop
from advisor.model.recipe import Module
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
    for event, context in events(ctx.recipe.tree, Kind.FORWARD):
        if event.subject is module and evaluation_loop(context) is not None:
            yield ctx.finding("evaluated", at=module, layer=norms[0].name, line=event.place)
            return
    for save in ctx.recipe.saves:
        if save.module is module:
            yield ctx.finding("saved", at=module, layer=norms[0].name, line=save.place)
            return
