"""A seed of zero that a truth test takes for none."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Condition, Kind, events
from advisor.model.finding import Finding
from advisor.model.metrics import words_of
from advisor.model.recipe import Recipe, Seed
from advisor.model.source import first


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A seed set only where the seed itself is true."""
    told = set()
    for event, around in events(recipe.tree, Kind.SEED):
        for branch, arm in around.arms:
            condition = branch.condition
            if branch in told or condition is None or arm.taken_when is condition.negated or not isinstance(event.subject, Seed):
                continue
            if condition.operator == "truth" and _is_seed(condition):
                told.add(branch)
                tested = first(condition.left)
                zero = tested is not None and tested.weak and tested.value == 0 and tested.value is not False
                case = "zero" if zero else "any"  # a zero that is written beside the test may say that no seed is wanted
                yield ctx.finding(case, at=event, condition=condition.text, value_from=tested)


def _is_seed(condition: Condition) -> bool:
    return bool(words_of(condition.text) & {"seed", "seeds"})
