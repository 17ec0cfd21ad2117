"""Adam on float16 weights with an epsilon that float16 rounds to zero."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Module, Optimizer, Parameters
from advisor.model.source import first, number, value_of

ADAM = frozenset({"torch.optim.Adam", "torch.optim.AdamW", "torch.optim.NAdam", "torch.optim.RAdam", "torch.optim.Adamax"})

HALF = ("float16", "torch.float16")


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer of Adam's kind over weights that are float16 themselves; the engine of DeepSpeed steps float32 copies of them."""
    if optimizer.owner == "deepspeed" or _stands_in(optimizer):
        return
    eps = first(optimizer.settings.get("eps"))
    value = number(eps)
    if optimizer.kind not in ADAM or eps is None or value is None or value >= ctx.limit("smallest"):
        return
    half = next((module for module in optimizer.modules if value_of(module.dtype) in HALF), None)
    if half is not None and not _replaced(half, ctx):
        flagged = optimizer.flag_off or half.flag_off
        yield ctx.finding("rounds-to-zero", at=optimizer, value_from=eps, confidence="medium" if flagged else None, value=value, model=half.name)


def _stands_in(optimizer: Optimizer) -> bool:
    """True for the other one of two that no flag of the program chooses between: a library that is not installed does."""
    return optimizer.flag_off and not optimizer.when


def _replaced(module: Module, ctx: Context) -> bool:
    """True where a list of these weights is written to: what makes an optimizer work on float32 copies puts them into its groups."""
    writes = (event for event, _ in events(ctx.recipe.tree, Kind.GRAD_WRITE) if event.data.get("what") == "in-place")
    return any(isinstance(event.subject, Parameters) and module in event.subject.modules for event in writes)
