"""Gradients that are cleared after backward and before the step that should use them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.clearing import emptied
from advisor.model.finding import Finding
from advisor.model.folds import needs_flag
from advisor.model.gradients import escaped_to, kinds_of
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clearing between a backward and its step."""
    for found in emptied(recipe):
        if handed := escaped_to(recipe, found.optimizer):
            ctx.skip(f"the optimizer was handed to `{handed}`, which could not be read", found.clearing)
            continue
        yield ctx.finding(
            "cleared",
            at=found.clearing,
            confidence="medium" if needs_flag(found.context) else None,
            kind=kinds_of(recipe, found.optimizer),
            backward=found.backward.place,
            step=found.step.place,
        )
