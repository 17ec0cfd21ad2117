"""An activation before binary cross-entropy with logits, which applies the sigmoid itself."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import BINARY_WITH_LOGITS, ending_in
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """BCE with logits wherever its input is a probability already."""
    for use, flow, place in ending_in(recipe, BINARY_WITH_LOGITS, ("sigmoid", "softmax")):
        yield ctx.finding(flow.activation or "", at=place, loss=use.loss.name, evidence=[use.link])
