"""A metric that gathers over batches and that no epoch begins anew."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Meter
from advisor.model.source import value_of


def check(meter: Meter, ctx: Context) -> Iterator[Finding]:
    """A metric that is computed in each epoch over all that it was fed since the run began."""
    recipe = ctx.recipe
    if meter.computed is None or meter.reset or not recipe.trains or is_test(recipe.entry, recipe) or value_of(recipe.epochs) in (0, 1):
        return
    if meter.escaped is not None or not recipe.whole or recipe.budget_cuts:
        ctx.skip(f"it is handed to {meter.escaped}" if meter.escaped else "only a part of the program was read", meter)
        return
    yield ctx.finding("grown" if meter.kind == "list" else "over-epochs", at=meter.computed, name=meter.name)
