"""Clipping limits that no published recipe uses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Clip, Recipe
from advisor.model.source import candidates, is_unknown


def check(clip: Clip, ctx: Context) -> Iterator[Finding]:
    """A norm below or above the band; at zero and below, and from the idiom's limit on, clipping is off."""
    if clip.kind not in ("norm", "framework", "hand-written") or not _has_gradients(ctx.recipe):
        return
    if is_unknown(clip.value):
        ctx.skip("the clipping limit is not known", clip)
    for index, known in enumerate(candidates(clip.value)):
        value = known.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        case = "tiny" if 0 < value < ctx.limit("low") else "huge" if ctx.limit("high") < value < ctx.limit("unlimited") else None
        if case:
            sure = index == 0 and not clip.flag_off
            yield ctx.finding(case, at=clip, value_from=known, confidence=None if sure else "medium", value=float(value))


def _has_gradients(recipe: Recipe) -> bool:
    """False where no backward fills any gradients: a program that draws the rates of a schedule steps its optimizer without them."""
    return recipe.framework != "plain" or any(True for _ in events(recipe.tree, Kind.BACKWARD))
