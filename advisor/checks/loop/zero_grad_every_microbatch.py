"""Gradients that are cleared in every batch while the step comes once in several."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import Window, counts_batches, emptied, windows
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Known


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """For each window with its step in a branch: an unconditional clearing in the same loop empties it."""
    for window in windows(recipe):
        optimizer = window.optimizer
        if optimizer is None or not _always(window) or (window.turns == 1 and not _may_be_more(window)):
            continue
        if window.rewritten:  # each gradient is taken out before it is cleared, and what is made of them all is put back
            continue
        clearing = emptied(window, recipe)
        if clearing is not None:
            yield ctx.finding(
                "each-batch",
                at=clearing,
                confidence=None if window.turns not in (None, 1) else "medium",
                kind=optimizer.name,
                step=window.step.place,
                condition=_words(window),
            )


def _always(window: Window) -> bool:
    """True when a backward comes in every batch, whatever the count."""
    return any(not _counted(context) for _, context in window.backwards)


def _may_be_more(window: Window) -> bool:
    """True when one batch for each step is only the default of an option."""
    return isinstance(window.size, Known) and window.size.weak


def _counted(context: Around) -> bool:
    return any(counts_batches(branch.condition) is not None for branch, _ in context.arms)


def _words(window: Window) -> str:
    if window.branch is not None and window.branch.condition is not None:
        return f"`{window.branch.condition.text}`"
    return "the inner loop"
