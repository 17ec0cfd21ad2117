"""Checkpoints that are kept as the best for the wrong score, or for the right one turned round."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import Decision, decision
from advisor.model.events import Branch, Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Recipe, Save
from advisor.model.stopping import direction_taken, same_metric, wanted_direction

WEIGHTS = frozenset({"model", "model-state"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save of weights under a comparison with a variable that takes the new score beside it."""
    seen: set[Branch] = set()
    stops = [(direction_taken(stop), wanted_direction(stop)) for stop in recipe.early_stopping]
    if any(taken is not None and wanted is not None and taken != wanted for taken, wanted in stops):
        return  # what counts the checks without improvement has the same comparison, and says so
    for event, context in events(recipe.tree, Kind.SAVE):
        found = decision(context)
        saves = isinstance(event.subject, Save) and not WEIGHTS.isdisjoint(event.subject.parts.values())
        if found is None or not saves or found.branch in seen or cadence(context) == "once" or found.condition.negated or found.arm.label == "else":
            continue
        kept = [inner for inner, _ in events(found.arm.body, Kind.ASSIGN) if inner.data.get("variable") == found.best]
        if len(kept) != 1:
            continue
        seen.add(found.branch)
        yield from _judged(found, kept[0], ctx)


def _judged(found: Decision, kept: Event, ctx: Context) -> Iterator[Finding]:
    score, new = found.score, kept.data.get("flow")
    if new is not None and same_metric(score, new) is False and score.source is not None and new.source is not None:
        yield ctx.finding("other-score", at=kept, condition=found.condition.text)
    elif score.direction is not None and score.direction != found.taken and new is not None and new.direction == score.direction:
        case = "highest-loss" if score.direction == "min" else "lowest-score"
        yield ctx.finding(case, at=found.branch, condition=found.condition.text, metric=score.metric or "the score")
