"""Runs that go on from a checkpoint and know nothing of the best score before."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import comparison
from advisor.model.events import Arm, Branch, Condition, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Recipe, Save
from advisor.model.resuming import resumes
from advisor.model.source import Unknown

WEIGHTS = frozenset({"model", "model-state"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first file of best weights that the training which goes on writes upon a comparison that begins with the same number in each run."""
    for resume in resumes(recipe):
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


def _forgotten(_: Branch, arm: Arm, asked: Condition) -> bool:
    """True where a score is compared with a name that takes it over, and that held a number of the program's own before the first turn."""
    if not arm.taken_when or asked.negated:
        return False
    for best, name, score in ((asked.right, asked.right_variable, asked.left_flow), (asked.left, asked.variable, asked.right_flow)):
        if isinstance(best, Unknown) and best.began is not None and name is not None and score is not None:
            return any(event.data.get("variable") == name for event, _ in events(arm.body, Kind.ASSIGN))
    return False
