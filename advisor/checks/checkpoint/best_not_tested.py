"""A test of the weights that training left, where a callback keeps the best ones."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Save
from advisor.model.source import value_of


def check(save: Save, ctx: Context) -> Iterator[Finding]:
    """A callback that keeps the best weights of a run whose last ones alone are tested."""
    if save.tested_last is not None and not save.tested_best and not is_test(ctx.recipe.entry, ctx.recipe):
        yield ctx.finding("last-weights", at=save.tested_last, metric=value_of(save.watched) or "its metric")
