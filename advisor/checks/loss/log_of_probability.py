"""The logarithm of a softmax or sigmoid output, without a floor."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.flow import reach
from advisor.model.recipe import Recipe
from advisor.model.source import Place, number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Every logarithm of a softmax or sigmoid whose scores may be far from zero; adding a small number or a clamp in between silences it."""
    seen: set[Place] = set()
    if not recipe.trains:
        return
    for place, flow in recipe.logs:
        if flow.activation not in ("softmax", "sigmoid") or flow.graph != "kept" or flow.dtype == "float64" or place in seen:
            continue
        seen.add(place)
        end = reach(flow.activation_input) if flow.activation_input is not None else None
        if end is not None and number(end) is None:
            ctx.skip("how far the scores are from each other is not known", place)
        elif end is None or (number(end) or 0) > ctx.limit("far"):
            yield ctx.finding(flow.activation or "", at=place)
