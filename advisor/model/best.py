"""The best score so far: the comparison that decides about a checkpoint, and the variable that the score is compared with."""

from __future__ import annotations

from typing import Literal

from advisor.model.events import Arm, Branch, Condition, Context
from advisor.model.pattern import pattern
from advisor.model.recipe import Flow
from advisor.model.record import dataclass
from advisor.model.source import Known, Unknown

NAME = pattern(r"""[\w.\[\]'"]*\w""")  # of an item, what holds it may be replaced


@dataclass(frozen=True, slots=True)
class Decision:
    """A comparison of a score with a variable that decides whether something is done. `taken`: the direction in which a score is better."""

    branch: Branch
    arm: Arm
    condition: Condition
    best: object  # the variable
    score: Flow
    taken: Literal["min", "max"]


def comparison(context: Context) -> tuple[Branch, Arm, Condition] | None:
    """The innermost comparison of sizes that an event hangs on."""
    for branch, arm in reversed(context.arms):
        condition = branch.condition
        if condition is None or (condition.disjuncts and not _first_counts(condition)):
            continue
        for part in (condition, *condition.conjuncts, *condition.disjuncts):
            if part.operator in ("<", ">", "<=", ">=") and part.modulo is None:
                return branch, arm, part
    return None


def _first_counts(condition: Condition) -> bool:
    """True for `best is None or score > best`: the first is better than nothing."""
    if condition.negated or len(condition.disjuncts) != 2:
        return False
    first, compared = condition.disjuncts
    nothing = first.operator == "is" and not first.negated and isinstance(first.right, Known) and first.right.value is None
    return nothing and first.variable is not None and first.variable in (compared.variable, compared.right_variable)


def decision(context: Context) -> Decision | None:
    """The comparison with the best score that an event hangs on; None when it is not told which side is which."""
    found = comparison(context)
    if found is None or found[2].difference:
        return None  # by how much a score is better is compared with a margin
    branch, arm, part = found
    left, _, right = part.text.partition(part.operator or "\0")
    below: Literal["min", "max"] = "min" if (part.operator or "").startswith("<") else "max"
    above: Literal["min", "max"] = "max" if below == "min" else "min"
    if _measured(part.left_flow) and part.right_flow is None and NAME.fullmatch(right.strip()) and part.right_variable is not None:
        return Decision(branch, arm, part, part.right_variable, part.left_flow, below)
    if part.left_flow is None and _measured(part.right_flow) and part.variable is not None and NAME.fullmatch(left.strip()):
        return Decision(branch, arm, part, part.variable, part.right_flow, above)
    return None


def begins_at(found: Decision) -> float | None:
    """What the best score is before the first is measured, where that is one number on all ways."""
    asked = found.condition
    best = asked.right if asked.right_variable == found.best and asked.left_flow is found.score else asked.left
    return best.began if found.arm.taken_when and not asked.negated and isinstance(best, Unknown) else None


def _measured(flow: Flow | None) -> bool:
    """True for a number that comes from a model or from data: an array of turns is no score."""
    return flow is not None and bool(flow.losses or flow.metric or flow.modules or flow.source)
