"""Raw logits compared with a probability."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import BINARY_WITH_LOGITS, uses
from advisor.model.recipe import Recipe
from advisor.model.source import Place, number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each comparison of an output of a BCE-with-logits model, with no sigmoid on the way, with one half."""
    logits = [(use, use.input) for use in uses(recipe, BINARY_WITH_LOGITS) if use.input is not None and use.input.activation == "linear"]
    for place, flow, limit in recipe.thresholds:
        value = number(limit)
        if value != ctx.limit("half") or flow.activation != "linear" or not flow.modules:
            continue
        taken = [use for use, given in logits if given.modules[:1] == flow.modules[:1]]
        if taken:
            use = min(taken, key=lambda use: _apart(use.place, place))
            yield ctx.finding("half", at=place, evidence=[use.link], loss=use.loss.name, line=use.place, value=value)


def _apart(one: Place, other: Place) -> tuple[bool, bool, int]:
    """How far a loss is from a comparison: in one file before in another, above it before below it, then by lines."""
    return one.file != other.file, one.line > other.line, abs(one.line - other.line)
