"""A trainer that measures its model all along, and keeps the latest checkpoints alone."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Save
from advisor.model.source import Known, number


def check(save: Save, ctx: Context) -> Iterator[Finding]:
    """Each trainer of a run that is long enough for its best checkpoint to be gone at the end."""
    epochs = number(ctx.recipe.epochs)
    if not isinstance(save.latest, Known) or epochs is None or is_test(ctx.recipe.entry, ctx.recipe):
        return
    if epochs >= ctx.limit("epochs"):
        at = save.latest if save.latest.place is not None else save
        yield ctx.finding("latest-alone", at=at, value_from=save.latest, kept=save.latest.value, run=epochs)
