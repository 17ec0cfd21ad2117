"""Cross-entropy over a single class, which is always zero."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CROSS_ENTROPY, Use, uses
from advisor.model.recipe import Recipe
from advisor.model.source import candidates, first, number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Class scores of width one, the default path's."""
    for use in uses(recipe, CROSS_ENTROPY):
        if use.input is None or use.input.rank not in (2, None):
            continue
        width = first(use.input.width)
        several = width is not None and (width.weak or len(candidates(use.input.width)) > 1)
        if width is not None and number(width) == 1 and not (several and _asked_for(use)):
            sure = use.input.rank == 2 and not width.weak and len(candidates(use.input.width)) == 1
            yield ctx.finding("one-class", at=use.place, value_from=width, loss=use.loss.name, confidence="high" if sure else "medium")


def _asked_for(use: Use) -> bool:
    """True when the loss runs only with another setting than the default: the setting that chooses it may give more classes too."""
    return any(arm.label in ("flag", "unknown") for _, arm in use.context.arms)
