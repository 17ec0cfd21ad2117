"""Long runs at one learning rate."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.rates import rates, schedulers_of, unsettled
from advisor.model.recipe import Optimizer
from advisor.model.source import first, number


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer with a known rate that no scheduler and no assignment ever changes, in a run of many epochs."""
    recipe = ctx.recipe
    epochs = first(recipe.epochs)
    count = number(epochs)
    if epochs is None or count is None or count < ctx.limit("epochs") or not recipe.schedulers.complete or len(recipe.optimizers) != 1:
        return
    if schedulers_of(recipe, optimizer) or unsettled(recipe, optimizer) or not optimizer.modules:
        return
    for rate in rates(recipe, optimizer):
        yield ctx.finding("constant", at=optimizer, value_from=rate.known, value=rate.value, epochs=count)
        return
