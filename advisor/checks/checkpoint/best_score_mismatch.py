"""Checkpoints that are kept as the best for the wrong score, or for the right one turned round."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import Decision, decision
from advisor.model.events import Branch, Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.metrics import direction_of
from advisor.model.recipe import Recipe, Save
from advisor.model.resuming import WEIGHTS
from advisor.model.source import first
from advisor.model.stopping import direction_taken, same_metric, wanted_direction


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save of weights under a comparison with a variable that takes the new score beside it, and each callback that chooses the best."""
    seen: set[Branch] = set()
    stops = [stop for stop in recipe.early_stopping if _turned(direction_taken(stop), wanted_direction(stop))]
    if all(stop.owner == "lightning" for stop in stops):
        yield from _callbacks(recipe, ctx)
    if stops:
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


def _turned(taken: str | None, wanted: str | None) -> bool:
    return taken is not None and wanted is not None and taken != wanted


def _callbacks(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The direction that a framework's callback is told, or takes by default, against the one that its metric has by name."""
    for save in recipe.saves:
        mode, metric = first(save.mode), first(save.watched)
        if mode is None or metric is None or mode.value not in ("min", "max") or not isinstance(metric.value, str):
            continue
        if not _turned(mode.value, direction_of(metric.value)):
            continue
        if mode.default is not None:
            kept, better = ("highest", "lower") if mode.value == "max" else ("lowest", "higher")
            at = metric if metric.place is not None else save
            yield ctx.finding("unsaid", at=at, condition=save.mode_as, metric=metric.value, kept=kept, better=better)
            continue
        case = "highest-loss" if mode.value == "max" else "lowest-score"
        yield ctx.finding(case, at=mode if mode.place is not None else save, condition=save.mode_as, metric=metric.value)


def _judged(found: Decision, kept: Event, ctx: Context) -> Iterator[Finding]:
    score, new = found.score, kept.data.get("flow")
    if new is not None and same_metric(score, new) is False and score.source is not None and new.source is not None:
        yield ctx.finding("other-score", at=kept, condition=found.condition.text)
    elif score.direction is not None and score.direction != found.taken and new is not None and new.direction == score.direction:
        case = "highest-loss" if score.direction == "min" else "lowest-score"
        yield ctx.finding(case, at=found.branch, condition=found.condition.text, metric=score.metric or "the score")
