"""An epsilon that changes the optimizer, or protects it from nothing."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer
from advisor.model.source import candidates

ADAM = frozenset({"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "AdamW8bit", "Adam8bit", "PagedAdamW8bit", "FusedAdam"})


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """The epsilon of an optimizer of Adam's kind."""
    if optimizer.name not in ADAM:
        return
    for index, known in enumerate(candidates(optimizer.settings.get("eps"))):
        value = known.value
        if known.default is not None or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        case = "zero" if value == 0 else "above" if value > ctx.limit("high") else None
        if case:
            sure = hedge(ctx.recipe, optimizer, known, default_path=index == 0)
            yield ctx.finding(case, at=optimizer, value_from=known, **sure, value=float(value))
