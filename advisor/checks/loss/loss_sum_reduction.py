"""A loss summed over the batch, so that the step grows with the batch size."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.losses import DIVERGENCE
from advisor.model.recipe import Flow, Recipe

SCALE_BOUND = frozenset({"SGD", "ASGD", "LBFGS", "Rprop"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Only where the optimizer's step follows the size of the gradient and nothing divides or accompanies the sum."""
    optimizers = [optimizer.name for optimizer in recipe.optimizers]
    if not optimizers or not SCALE_BOUND.issuperset(optimizers):
        return
    for event, _ in events(recipe.tree, Kind.BACKWARD):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow) or flow.reduction != "sum" or flow.divided or flow.other_terms or len(flow.losses) != 1:
            continue
        if flow.losses[0].name not in DIVERGENCE:
            yield ctx.finding("summed", at=flow.losses[0], optimizer=optimizers[0])
