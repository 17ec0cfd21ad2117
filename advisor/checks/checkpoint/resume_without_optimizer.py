"""Runs that go on from a saved epoch with a fresh optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.pattern import pattern
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.resuming import WEIGHTS, Resume, resumes
from advisor.model.source import number

RESUMES = pattern(r"(?<![a-z])(resum|continu)", re.IGNORECASE)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first restore of each checkpoint whose counter is read back, but no state of an optimizer."""
    if "restore" not in recipe.owner_silences and recipe.whole:
        yield from _weights_alone(recipe, ctx)
    for resume in resumes(recipe) if any(_has_state(optimizer) for optimizer in recipe.optimizers) else ():
        optimizers = [optimizer for optimizer in _stepping(recipe, resume) if _has_state(optimizer)]
        if "optimizer" in resume.kinds or resume.reads("optim"):
            yield from _replaced(resume, recipe, ctx)
            continue
        held = [restore.optimizer for restore in recipe.restores if "optimizer" in restore.parts.values()]
        taken_up = [optimizer for optimizer in held if optimizer is not None]
        if {optimizer.place for optimizer in optimizers} <= {optimizer.place for optimizer in taken_up}:
            continue  # by a call of the same function, which is told whether to
        if {optimizer.slot for optimizer in optimizers} <= {optimizer.slot for optimizer in taken_up}:
            continue  # whichever of them an option chooses
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


def _weights_alone(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Weights taken out of a checkpoint of the program's own, by a condition that asks to resume, where nothing else of it is ever read."""
    if any(kind not in WEIGHTS for restore in recipe.restores for kind in restore.parts.values()):
        return
    for restore in recipe.restores:
        asked = restore.when is not None and RESUMES.search(restore.when)
        if not asked or restore.loaded is None or restore.escaped is not None or len({*restore.loaded.keys, *restore.loaded.asked}) != 1:
            continue
        own = next((save for save in recipe.saves if set(restore.loaded.keys) <= set(save.parts) and "optimizer" in save.parts.values()), None)
        if own is not None and any(map(_has_state, recipe.optimizers)):
            yield ctx.finding("weights-alone", at=restore, line=own.contents or own.place)
            return


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


def _stepping(recipe: Recipe, resume: Resume) -> list[Optimizer]:
    """The optimizers of the training that goes on; all of the program, where it is not known which one steps there.

    One that is built anew in each epoch begins there as it does anyway.
    """
    subjects = [event.subject for event, around in events(recipe.tree, Kind.OPTIMIZER_STEP) if resume.goes_on(around)]
    made = events(recipe.tree, Kind.BUILD)
    built = {event.subject for event, around in made if isinstance(event.subject, Optimizer) and resume.goes_on(around)}
    known = all(isinstance(subject, Optimizer) for subject in subjects)
    slots = {subject.slot for subject in subjects} if known else {optimizer.slot for optimizer in recipe.optimizers}
    return [optimizer for optimizer in recipe.optimizers if optimizer.slot in slots and optimizer not in built]


def _has_state(optimizer: Optimizer) -> bool:
    """Plain SGD has nothing to restore but its rate."""
    return not (optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) in (0, None))
