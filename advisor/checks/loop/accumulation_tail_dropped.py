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
        if not _stepped_after(window) and not _goes_on(window):
            yield ctx.finding("dropped", at=window.branch, condition=window.branch.condition.text if window.branch.condition else "")


def _stepped_after(window: Window) -> bool:
    """True when the epoch has a step outside its batch loop."""
    assert window.loop.epoch is not None
    return any(window.loop.batch not in context.loops for _, context in events(window.loop.epoch.body, Kind.OPTIMIZER_STEP))


def _goes_on(window: Window) -> bool:
    """True for a counter of its own that no epoch sets back: the next epoch fills the window."""
    asked = window.condition
    if asked is None or asked.modulo_of is not None or window.loop.epoch is None:
        return False
    resets = events(window.loop.epoch.body, Kind.RESET)
    return all(event.data["variable"] != asked.variable or window.loop.batch in context.loops for event, context in resets)
