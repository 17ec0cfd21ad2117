"""Runs that go on from a saved epoch with a fresh optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.resuming import resumes
from advisor.model.source import number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first restore of each checkpoint whose counter is read back, but no state of an optimizer."""
    optimizers = [optimizer for optimizer in recipe.optimizers if _has_state(optimizer)]
    for resume in resumes(recipe) if optimizers else ():
        if "optimizer" in resume.kinds or resume.reads("optim"):
            continue
        first = resume.restores[0]
        if resume.escaped is not None:
            ctx.skip(f"the checkpoint was handed to `{resume.escaped}`, which could not be read", first)
            continue
        saved = any("optimizer" in save.parts.values() for save in recipe.saves)
        at = (resume.written.contents or resume.written) if resume.written is not None and not saved else first
        yield ctx.finding("not-restored" if saved else "not-saved", at=at, key=resume.counter, optimizer=optimizers[0].name, line=first.place)


def _has_state(optimizer: Optimizer) -> bool:
    """Plain SGD has nothing to restore but its rate."""
    return not (optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) in (0, None))
