"""Long runs at one learning rate."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop, training_loops
from advisor.model.rates import rates, schedulers_of, unsettled
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.source import first, number


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer with a known rate that no scheduler and no assignment ever changes, in a run of many epochs."""
    recipe = ctx.recipe
    epochs = first(recipe.epochs)
    count = number(epochs)
    if epochs is None or count is None or count < ctx.limit("epochs") or not recipe.schedulers.complete or len(recipe.optimizers) != 1:
        return
    if schedulers_of(recipe, optimizer) or optimizer.lr_writes or unsettled(recipe, optimizer) or not optimizer.modules:
        return
    if _is_kept_elsewhere(recipe):
        return
    for rate in rates(recipe, optimizer):
        yield ctx.finding("constant", at=optimizer, value_from=rate.known, value=rate.value, epochs=count)
        return


def _is_kept_elsewhere(recipe: Recipe) -> bool:
    """True where published recipes keep one rate: training that goes over no data set, as where a policy plays, and training on noise of its own,
    as of a diffusion model or a variational autoencoder."""
    loops = training_loops(recipe)
    if loops and not any(loop.by_loader for loop in loops):
        return True
    drawn = (context for event, context in events(recipe.tree, Kind.DRAW) if event.data.get("use") == "noise")
    return any(training_loop(context) is not None for context in drawn)
