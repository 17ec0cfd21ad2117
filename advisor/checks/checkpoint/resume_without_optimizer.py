"""Runs that go on from a saved epoch with a fresh optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.resuming import Resume, resumes
from advisor.model.source import number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first restore of each checkpoint whose counter is read back, but no state of an optimizer."""
    optimizers = [optimizer for optimizer in recipe.optimizers if _has_state(optimizer)]
    for resume in resumes(recipe) if optimizers else ():
        if "optimizer" in resume.kinds or resume.reads("optim"):
            yield from _replaced(resume, recipe, ctx)
            continue
        first = resume.restores[0]
        if resume.escaped is not None:
            ctx.skip(f"the checkpoint was handed to `{resume.escaped}`, which could not be read", first)
            continue
        if handed := next((optimizer for optimizer in optimizers if optimizer.escaped is not None), None):
            ctx.skip(f"the optimizer was handed to `{handed.escaped}`, which could not be read", handed)
            continue
        own = [save for save in recipe.saves if resume.counter in save.parts or not save.complete]
        if not own:
            ctx.skip(f'no checkpoint that the program writes holds "{resume.counter}": the one that it goes on from is another\'s', first)
            continue
        saved = any("optimizer" in save.parts.values() for save in own)
        at = (resume.written.contents or resume.written) if resume.written is not None and not saved else first
        yield ctx.finding("not-restored" if saved else "not-saved", at=at, key=resume.counter, optimizer=optimizers[0].name, line=first.place)


def _replaced(resume: Resume, recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The state is loaded into an optimizer that never steps: another one was built in its place."""
    stepping = [event.subject for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    known = [optimizer for optimizer in stepping if isinstance(optimizer, Optimizer)]
    warm = [restore.optimizer for restore in recipe.restores if "optimizer" in restore.parts.values()]
    at = next((restore for restore in resume.restores if restore.optimizer is not None), None)
    if at is None or not known or len(known) < len(stepping) or None in warm:
        return
    if {optimizer.slot for optimizer in warm if optimizer is not None}.isdisjoint(optimizer.slot for optimizer in known):
        yield ctx.finding("replaced", at=at, optimizer=known[0].name, line=known[0].place)


def _has_state(optimizer: Optimizer) -> bool:
    """Plain SGD has nothing to restore but its rate."""
    return not (optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) in (0, None))
