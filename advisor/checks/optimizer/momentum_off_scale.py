"""Momentum that averages over too few or too many steps."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer
from advisor.model.source import candidates, number


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """The momentum of SGD, alone and together with its rate."""
    if optimizer.kind != "torch.optim.SGD":
        return
    for index, known in enumerate(candidates(optimizer.settings.get("momentum"))):
        value = known.value
        if known.default is not None or isinstance(value, bool) or not isinstance(value, (int, float)) or value == 0:
            continue
        case = _case(float(value), number(optimizer.settings.get("lr")), ctx)
        if case:
            sure = hedge(ctx.recipe, optimizer, known, default_path=index == 0)
            longer = 1 / (1 - value) if value < 1 else 0.0
            rate = number(optimizer.settings.get("lr")) or 0.0
            yield ctx.finding(case, at=optimizer, value_from=known, **sure, value=float(value), times=longer, rate=rate)


def _case(momentum: float, rate: float | None, ctx: Context) -> str | None:
    if momentum >= 1:
        return "never-forgets"
    if momentum < 0 or momentum < ctx.limit("low"):
        return "below"
    if momentum > ctx.limit("high"):
        return "above"
    return "with-high-rate" if momentum >= ctx.limit("high") and rate is not None and rate >= ctx.limit("rate") else None
