"""Outputs of shape (N, 1) against targets of shape (N,), which broadcast to (N, N)."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import DISTANCE, uses
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Distances whose two sides differ by one trailing dimension of size one."""
    for use in uses(recipe, DISTANCE):
        if use.input is None or use.target is None:
            continue
        if is_column(use.input) and use.target.rank == 1:
            yield ctx.finding("column-output", at=use.place, loss=use.loss.name)
        elif is_column(use.target) and use.input.rank == 1:
            yield ctx.finding("column-target", at=use.place, loss=use.loss.name)


def is_column(flow: Flow) -> bool:
    """True for the shape (N, 1)."""
    return flow.rank == 2 and value_of(flow.width) == 1
