"""Accumulated losses that nobody divides by their number."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import windows
from advisor.model.finding import Finding
from advisor.model.recipe import Flow, Recipe
from advisor.model.source import value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """For each window: the backwards of mean-reduced library losses that meet no division."""
    for window in windows(recipe):
        if window.turns == 1 or window.rewritten or window.of_one_batch:
            continue
        for backward, _ in window.backwards:
            flow = backward.data.get("flow")
            if not isinstance(flow, Flow) or flow.divided or not _is_mean(flow):
                continue
            size = value_of(window.size)
            case = "times" if size is not None else "times-unknown"
            yield ctx.finding(case, at=backward, confidence=None if size is not None else "medium", times=size, step=window.step.place)
            break


def _is_mean(flow: Flow) -> bool:
    """True when the loss is a mean over the batch, and not one that counts tokens or samples itself."""
    return bool(flow.losses) and all(not loss.user_class and value_of(loss.settings.get("reduction")) == "mean" for loss in flow.losses)
