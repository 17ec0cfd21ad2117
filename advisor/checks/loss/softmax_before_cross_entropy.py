"""An activation before cross-entropy, which applies log-softmax itself."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CROSS_ENTROPY, ending_in
from advisor.model.recipe import Recipe

CASES = {"softmax": "softmax", "sigmoid": "sigmoid", "log_softmax": "redundant"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Cross-entropy wherever its input ends in an activation, in the same file or another."""
    for use, flow, place in ending_in(recipe, CROSS_ENTROPY, CASES):
        yield ctx.finding(CASES[flow.activation or ""], at=place, loss=use.loss.name, evidence=[use.link])
