"""Weights in bfloat16 that are stepped by less than they can take in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import has_adapter
from advisor.model.rates import rates, unsettled
from advisor.model.recipe import Optimizer
from advisor.model.source import value_of

if TYPE_CHECKING:
    from advisor.model.trace import Trace

ADAM = frozenset({"torch.optim.Adam", "torch.optim.AdamW", "torch.optim.NAdam", "torch.optim.RAdam"})  # a step is about as long as the rate
BFLOAT16 = ("bfloat16", "torch.bfloat16")


def check(subject: Optimizer | Trace, ctx: Context) -> Iterator[Finding]:
    """What a run lost, or the rate against the weights that language models start from."""
    yield from _may_be_lost(subject, ctx) if isinstance(subject, Optimizer) else _lost(subject, ctx)


def _lost(trace: Trace, ctx: Context) -> Iterator[Finding]:
    for stepping in trace.steppings:
        pulled = sum(weight.graded for weight in stepping.weights)
        share = sum(weight.kept for weight in stepping.weights) / pulled if pulled else 0.0
        if stepping.steps >= ctx.limit("steps") and share >= ctx.limit("share") and stepping.rate_is_up(ctx.limit("up"), stepping.steps):
            yield ctx.finding("lost", at=stepping.optimizer, part=share, value=max(stepping.peaks, default=0.0))


def _may_be_lost(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    half = next((module for module in optimizer.modules if value_of(module.dtype) in BFLOAT16), None)
    if optimizer.kind not in ADAM or half is None or has_adapter(optimizer.modules):
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    for rate in rates(ctx.recipe, optimizer):
        if 0 < rate.value < ctx.limit("rate"):
            yield ctx.finding("small", at=optimizer, value_from=rate.known, value=rate.value, model=half.name)
            return
