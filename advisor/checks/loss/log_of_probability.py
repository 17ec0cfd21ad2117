"""The logarithm of a softmax or sigmoid output, without a floor."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Every logarithm whose argument ends in softmax or sigmoid; adding a small number or a clamp in between silences it."""
    seen: set[Place] = set()
    if not recipe.trains:
        return
    for place, flow in recipe.logs:
        if flow.activation in ("softmax", "sigmoid") and flow.graph == "kept" and place not in seen:
            seen.add(place)
            yield ctx.finding(flow.activation or "", at=place)
