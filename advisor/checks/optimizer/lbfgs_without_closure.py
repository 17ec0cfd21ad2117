"""L-BFGS steps without the closure that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import needs_flag
from advisor.model.recipe import Optimizer, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each step of torch's LBFGS that is given nothing."""
    for event, context in events(recipe.tree, Kind.OPTIMIZER_STEP):
        optimizer = event.subject
        if not isinstance(optimizer, Optimizer) or optimizer.kind != "torch.optim.LBFGS" or event.data.get("closure"):
            continue
        if any(other is not optimizer and other.slot is optimizer.slot for other in recipe.optimizers):
            continue  # one of several kinds by a flag, which the step may ask for
        yield ctx.finding("no-closure", at=event, confidence="medium" if needs_flag(context) else None, line=optimizer.place)
