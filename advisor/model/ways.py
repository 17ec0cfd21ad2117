"""Which arms of a branch count when the order of events is judged."""

from __future__ import annotations

from advisor.model.events import Arm, Branch, Call, Event, Exit, Kind, Node, Region, events, kinds
from advisor.model.finished import once


@once
def ways(branch: Branch) -> tuple[list[Arm], bool]:
    """The arms that count, and whether a way leads past all of them.

    Handlers do not count. Where one arm is the default, flags count only if they train and the default does not, or if the default ends in an error.
    """
    arms, passes = _taken(branch)
    default = [arm for arm in arms if arm.label == "default" and not _gives_up(arm.body)]
    if default or (passes and arms[0].label == "flag"):
        training = [arm for arm in arms if arm.label == "flag" and Kind.BACKWARD in kinds(arm.body)]
        if training and any(Kind.BACKWARD in kinds(arm.body) for arm in default):
            training = []
        return default + training, passes and not default
    return arms, passes


@once
def others(branch: Branch) -> tuple[Event, ...]:
    """What happens where a call is of another of the objects that it may be of than the first: `self.model.train()` of one of several models."""
    if branch.condition is not None:
        return ()
    left = [arm for arm in branch.arms if arm.label == "flag" and arm not in ways(branch)[0]]
    return tuple(event for arm in left for event, _ in events(arm.body))


def _taken(branch: Branch) -> tuple[list[Arm], bool]:
    arms = [arm for arm in branch.arms if arm.label != "except"]
    return arms, branch.condition is not None and len(arms) == 1 and arms[0].taken_when is not None


def _gives_up(body: list[Node]) -> bool:
    """True when every way through ends in an error: the program cannot go on like this."""
    last = body[-1] if body else None
    if isinstance(last, Exit):
        return last.what in ("raise", "exit")
    if isinstance(last, Branch):
        arms, passes = _taken(last)
        return not passes and all(_gives_up(arm.body) for arm in arms)
    return isinstance(last, (Region, Call)) and _gives_up(last.body)
