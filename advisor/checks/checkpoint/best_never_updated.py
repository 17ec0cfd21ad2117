"""A best score that is compared with and never raised, that begins where no score gets, or that holds the score it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from advisor.checks.context import Context
from advisor.model.best import Decision, begins_at, comparison, decision
from advisor.model.events import Branch, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Recipe
from advisor.model.source import value_of

NOT_NEGATIVE = frozenset({  # losses that nothing brings below zero, as long as their targets are in order
    "CrossEntropyLoss", "cross_entropy", "BCEWithLogitsLoss", "binary_cross_entropy_with_logits", "BCELoss", "binary_cross_entropy",
    "MSELoss", "mse_loss", "L1Loss", "l1_loss", "SmoothL1Loss", "smooth_l1_loss", "HuberLoss", "huber_loss",
})  # fmt: skip
WRITES = (Kind.ASSIGN, Kind.RESET, Kind.COUNT, Kind.KEEP)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save under a comparison of a metric with a variable that nothing in the program writes in a loop."""
    seen: set[Branch] = set()
    for _, context in events(recipe.tree, Kind.SAVE):
        compared = comparison(context)
        if compared is not None and compared[0] not in seen and compared[2].beyond_itself and compared[1].taken_when and not compared[2].negated:
            seen.add(compared[0])
            yield ctx.finding("own-extreme", at=compared[0], condition=compared[2].text)
        found = decision(context)
        if found is None or found.branch in seen or cadence(context) == "once":
            continue
        seen.add(found.branch)
        began = _began(found, recipe)
        if began is not None and _is_out_of_reach(began, found):
            yield ctx.finding("out-of-reach", at=found.branch, condition=found.condition.text, began=began)
        elif not any(event.data.get("variable") == found.best for event, _ in events(recipe.tree, *WRITES)):
            yield ctx.finding("never-raised", at=found.branch, condition=found.condition.text)


def _began(found: Decision, recipe: Recipe) -> float | None:
    """What the best score is before the first is measured, where it is written upon this comparison alone."""
    began = begins_at(found)
    inside = {event for event, _ in events(found.arm.body, *WRITES)} if began is not None else set()
    written = (event for event, _ in events(recipe.tree, *WRITES) if event.data.get("variable") == found.best and event not in inside)
    return None if any(event.kind is not Kind.RESET or value_of(event.data.get("value")) != began for event in written) else began


def _is_out_of_reach(began: float, found: Decision) -> bool:
    """True for a start that no score beats: the infinity on the wrong side, a loss of nothing, all answers right."""
    score = found.score
    if began == (inf if found.taken == "max" else -inf):
        return True
    if score.other_terms or score.direction not in (None, found.taken):
        return False
    if found.taken == "min":
        return began <= 0 and bool(score.losses) and all(loss.name in NOT_NEGATIVE for loss in score.losses)
    return score.metric == "accuracy" and (score.scale is not None or bool(score.divided)) and began >= (1 if score.scale == "fraction" else 100)
