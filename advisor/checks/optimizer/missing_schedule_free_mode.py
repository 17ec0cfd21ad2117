"""Schedule-free optimizers that are never told when training and evaluation begin."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer

SWITCHES = (Kind.TRAIN_MODE, Kind.EVAL_MODE, Kind.MODE_UNKNOWN)


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """A schedule-free optimizer without train() or without eval()."""
    if not optimizer.kind.startswith("schedulefree.") or optimizer.owner is not None or "Closure" in optimizer.name:
        return
    tree = ctx.recipe.tree
    called = {event.kind for event, _ in events(tree, *SWITCHES) if isinstance(event.subject, Optimizer) and event.subject.slot is optimizer.slot}
    if optimizer.escaped:
        ctx.skip(f"the optimizer was handed to `{optimizer.escaped}`, which could not be read", optimizer)
    elif Kind.MODE_UNKNOWN not in called and Kind.TRAIN_MODE not in called:
        yield ctx.finding("never-in-train-mode", at=optimizer)
    elif Kind.MODE_UNKNOWN not in called and Kind.EVAL_MODE not in called and next(events(tree, Kind.EVAL_MODE), None) is not None:
        yield ctx.finding("never-in-eval-mode", at=optimizer)
