"""Betas that are swapped, or that no average can have."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer
from advisor.model.source import candidates

ADAM = frozenset({"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "AdamW8bit", "Adam8bit", "PagedAdamW8bit", "FusedAdam"})


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Both betas of an optimizer of Adam's kind."""
    if optimizer.name not in ADAM:
        return
    for index, known in enumerate(candidates(optimizer.settings.get("betas"))):
        betas = known.value
        if known.default is not None or not isinstance(betas, (tuple, list)) or not all(isinstance(beta, (int, float)) for beta in betas):
            continue
        case = _case([float(beta) for beta in betas], ctx)
        if case:
            sure = hedge(ctx.recipe, optimizer, known, default_path=index == 0)
            yield ctx.finding(case, at=optimizer, value_from=known, **sure, first=betas[0], second=betas[1])


def _case(betas: list[float], ctx: Context) -> str | None:
    if len(betas) != 2:
        return None
    if not all(0 <= beta < 1 for beta in betas):
        return "no-average"
    if betas[0] > betas[1]:
        return "swapped"
    return "heavy" if betas[0] > ctx.limit("first") else None
