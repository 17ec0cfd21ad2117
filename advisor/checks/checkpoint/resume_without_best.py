"""Runs that go on from a checkpoint and know nothing of the best score before, or not the last one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.best import comparison, decision
from advisor.model.events import Arm, Branch, Condition, Event, Kind, Loop, events
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import Order, cadence, violations
from advisor.model.recipe import Recipe, Restore, Save
from advisor.model.resuming import WEIGHTS, Resume, resumes
from advisor.model.source import Unknown, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first file of best weights that the training which goes on writes upon a comparison that begins with the same number in each run."""
    yield from _same_file(recipe, ctx)
    for resume in resumes(recipe):
        yield from _late(recipe, resume, ctx)
        if resume.reads("best") or resume.escaped is not None:
            continue
        for event, context in events(recipe.tree, Kind.SAVE):
            save = event.subject
            if not isinstance(save, Save) or save.memory != "file" or WEIGHTS.isdisjoint(save.parts.values()) or not save.one_file:
                continue
            found = comparison(context) if resume.goes_on(context) and cadence(context) != "once" else None
            if found is not None and _forgotten(*found):
                yield ctx.finding("forgotten", at=found[0], condition=found[2].text, key=resume.counter, line=resume.restores[0].place)
                break


def _same_file(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The weights that a run begins with, and that its first score writes over, however good they were: they come with no score of theirs."""
    kept = [save for save in recipe.saves if save.best and save.memory == "file" and save.one_file and not WEIGHTS.isdisjoint(save.parts.values())]
    begun = _begun(recipe, {value_of(save.path) for save in kept}) if kept and recipe.whole and "restore" not in recipe.owner_silences else {}
    if not begun:
        return
    order = Order(
        checks=lambda event: begun.get(value_of(event.subject.path), ()) if event.kind is Kind.SAVE and event.subject in kept else (),
        clears=lambda event: (),
        arms=lambda event: (event.subject,) if event.kind is Kind.RESTORE and any(event.subject in held for held in begun.values()) else (),
    )
    for found in violations(recipe.tree, order):
        restore, save, asked = found.armed_by[0][0].subject, found.event.subject, comparison(found.context)
        if asked is None or cadence(found.context) == "once" or not _forgotten(*asked):
            continue
        if restore.module is None or save.module is None or restore.module.slot is save.module.slot:
            yield ctx.finding("same-file", at=restore, condition=asked[2].text, line=save.place)
            return


def _begun(recipe: Recipe, paths: set[object]) -> dict[object, list[Restore]]:
    """What is loaded before any training from a file of one of these names, and nothing but weights from it."""
    found: dict[object, list[Restore]] = {}
    for event, context in events(recipe.tree, Kind.BACKWARD, Kind.RESTORE):
        if event.kind is Kind.BACKWARD:
            break
        restore = event.subject
        loaded = restore.loaded if isinstance(restore, Restore) and restore.escaped is None and not context.loops else None
        if loaded is None or WEIGHTS.isdisjoint(restore.parts.values()) or len({*loaded.keys, *loaded.asked}) > 1:
            continue
        path = value_of(loaded.path)
        if isinstance(path, str) and path in paths:
            found.setdefault(path, []).append(restore)
    return found


def _forgotten(_: Branch, arm: Arm, asked: Condition) -> bool:
    """True where a score is compared with a name that takes it over, and that held a number of the program's own before the first turn."""
    if not arm.taken_when or asked.negated:
        return False
    for best, name, score in ((asked.right, asked.right_variable, asked.left_flow), (asked.left, asked.variable, asked.right_flow)):
        if isinstance(best, Unknown) and best.began is not None and name is not None and score is not None:
            return any(event.data.get("variable") == name for event, _ in events(arm.body, Kind.ASSIGN))
    return False


def _late(recipe: Recipe, resume: Resume, ctx: Context) -> Iterator[Finding]:
    """Each save of a best score that the run reads back, where the score of the epoch that is saved becomes the best behind it."""
    spots = list(events(recipe.tree, Kind.SAVE, Kind.ASSIGN, Kind.OPTIMIZER_STEP))
    for at, (event, around) in enumerate(spots):
        for key, names in event.data.get("numbers", {}).items():
            if key in resume.keys and resume.goes_on(around):
                taken = _taken_over(spots, at, names)
                if taken is not None:
                    yield ctx.finding("late", at=event.subject.contents or event.subject, key=key, best=taken.data["text"], line=taken.place)


def _taken_over(spots: list[tuple[Event, Around]], at: int, names: frozenset[Any]) -> Event | None:
    """Where, behind a save of the names, one of them takes over the score that chooses the best weights, in the same turn and after its steps."""
    around = spots[at][1]
    turn = _turns(around)
    if not turn or any(arm.label == "except" for _, arm in around.arms):
        return None
    beside = [(index, event, context) for index, (event, context) in enumerate(spots) if _turns(context) == turn]
    steps = [index for index, (event, context) in enumerate(spots) if event.kind is Kind.OPTIMIZER_STEP and turn[-1] in context.loops]
    taken = [spot for spot in beside if spot[1].kind is Kind.ASSIGN and spot[1].data["variable"] in names]
    if not steps or steps[0] > at or not taken or taken[0][0] < at or taken[0][1].data["flow"] is None or _apart(around, taken[0][2]):
        return None
    chosen = False
    for index, event, context in beside:
        if event.kind is Kind.SAVE and not WEIGHTS.isdisjoint(event.subject.parts.values()):
            found = decision(context)
            kept = found is not None and found.best in names and not found.condition.negated
            chosen = chosen or (kept and event.subject.one_file)
            again = index > taken[0][0] and any(names & held for held in event.data.get("numbers", {}).values())
            if again and (not kept or (found is not None and any(arm is found.arm for _, arm in around.arms))):
                return None  # the file may be written anew, with the score
    return taken[0][1] if chosen else None


def _turns(around: Around) -> list[Loop]:
    return [loop for loop in around.loops if loop.what != "turn"]


def _apart(one: Around, other: Around) -> bool:
    """True for two arms of one branch."""
    return any(branch is second and arm is not taken for branch, arm in one.arms for second, taken in other.arms)
