"""A best score that is compared with and never raised."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Branch, Condition, Kind, events
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.pattern import pattern
from advisor.model.recipe import Flow, Recipe

WRITES = (Kind.ASSIGN, Kind.RESET, Kind.COUNT, Kind.KEEP)
NAME = pattern(r"""[\w.\[\]'"]*\w""")  # of an item, what holds it may be replaced


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save under a comparison of a metric with a variable that nothing in the program writes in a loop."""
    seen: set[Branch] = set()
    for _, context in events(recipe.tree, Kind.SAVE):
        found = _comparison(context)
        if found is None or found[0] in seen or cadence(context) == "once":
            continue
        branch, part = found
        seen.add(branch)
        best = _best(part)
        if best is not None and not any(event.data.get("variable") == best for event, _ in events(recipe.tree, *WRITES)):
            yield ctx.finding("never-raised", at=branch, condition=part.text)


def _comparison(context: Around) -> tuple[Branch, Condition] | None:
    for branch, _ in reversed(context.arms):
        condition = branch.condition
        if condition is None or condition.disjuncts:
            continue
        for part in (condition, *condition.conjuncts):
            if part.operator in ("<", ">", "<=", ">=") and part.modulo is None:
                return branch, part
    return None


def _best(part: Condition) -> object:
    """The variable that a metric is compared with; None when the other side is no plain variable, or it is not told which side is which."""
    if part.difference:
        return None  # by how much a score is better is compared with a margin
    left, _, right = part.text.partition(part.operator or "\0")
    if _measured(part.left_flow) and part.right_flow is None:
        return part.right_variable if NAME.fullmatch(right.strip()) else None
    if part.left_flow is None and _measured(part.right_flow) and part.right_variable is not None:
        return part.variable if NAME.fullmatch(left.strip()) else None
    return None


def _measured(flow: Flow | None) -> bool:
    """True for a number that comes from a model or from data: an array of turns is no score."""
    return flow is not None and bool(flow.losses or flow.metric or flow.modules or flow.source)
