"""The last, incomplete accumulation window of an epoch, that no step uses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import Window, windows
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """For each window that counts batches of an epoch: nothing steps after the batch loop."""
    for window in windows(recipe):
        if window.branch is None or window.flushes or window.loop.epoch is None or window.turns == 1 or not window.loop.by_loader:
            continue
        if not _stepped_after(window):
            yield ctx.finding("dropped", at=window.branch, condition=window.branch.condition.text if window.branch.condition else "")


def _stepped_after(window: Window) -> bool:
    """True when the epoch has a step outside its batch loop."""
    assert window.loop.epoch is not None
    return any(window.loop.batch not in context.loops for _, context in events(window.loop.epoch.body, Kind.OPTIMIZER_STEP))
