"""Early stopping that watches the data the model is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.stopping import is_judged, metric_of, on_training_data, patience_of


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """Worse where the program has held-out data and does not use them for the decision."""
    if not is_judged(stop, ctx.recipe) or not on_training_data(stop):
        return
    patience = patience_of(stop)
    if patience is not None and patience[1] >= ctx.limit("off"):
        return
    roles = {loader.role for loader in ctx.recipe.loaders} | {dataset.role for dataset in ctx.recipe.datasets}
    case = "held-out-unused" if "validation" in roles else "nothing-held-out"
    yield ctx.finding(case, at=stop, metric=metric_of(stop) or "metric")
