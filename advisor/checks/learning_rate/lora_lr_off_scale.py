"""Adapters trained at a rate that no published recipe uses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.kinds import has_adapter
from advisor.model.rates import rates, unsettled
from advisor.model.recipe import Optimizer

ADAM = frozenset({"Adam", "AdamW", "AdamW8bit", "PagedAdamW8bit", "PagedAdamW32bit", "AdamW4bit"})


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Each rate that moves the weights of an adapter."""
    if optimizer.name not in ADAM or not has_adapter(optimizer.modules):
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    for rate in rates(ctx.recipe, optimizer):
        case = "above" if rate.value > ctx.limit("high") else "below" if 0 < rate.value < ctx.limit("low") else None
        if case and has_adapter(rate.modules):
            sure = hedge(ctx.recipe, optimizer, rate.known, default_path=rate.default_path)
            yield ctx.finding(case, at=optimizer, value_from=rate.known, value=rate.value, **sure)
