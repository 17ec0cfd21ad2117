"""Questions to the event tree of one program: what stands below a node, which loops stand around it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model import events
from advisor.model.events import Arm, Branch, Call, Condition, Context, Event, Kind, Loop, Node, Region, walk
from advisor.model.source import Place, Setting

Entry = tuple[Node, Context]


def real_loops(context: Context) -> list[Loop]:
    """The loops around a node that run many times: not single turns, not loops over weights."""
    return [loop for loop in context.loops if loop.what not in ("turn", "parameters")]


def parts(condition: Condition | None) -> Iterator[Condition]:
    """A condition and what it is put together from by `and` and `or`."""
    if condition is not None:
        yield condition
        for part in (*condition.conjuncts, *condition.disjuncts):
            yield from parts(part)


def modulo_of(condition: Condition | None) -> Setting | None:
    """The k of the `i % k` that a condition asks, alone or among others."""
    return next((part.modulo for part in parts(condition) if part.modulo is not None), None)


def holds(node: Arm | Node | None, *kinds: Kind) -> bool:
    """True when an event of one of these kinds stands in a part of the tree."""
    body: list[Node] = getattr(node, "body", None) or []
    return bool(body) and not events.kinds(body, _below).isdisjoint(kinds)


_below: events.KnownKinds = {}  # while one recipe is completed, its lists of nodes stay what they are


def asked_from(context: Context, branch: Branch | None = None) -> Place | None:
    """Where the loop over epochs calls what decides, where that measures nothing itself: an object that is told the score. `branch`: what decides, if
    not the node itself."""
    path = [node[0] if isinstance(node, tuple) else node for node in context.path]
    inside = path[: path.index(branch)] if branch is not None else path
    found: Place | None = None
    for node in reversed(inside):
        if isinstance(node, Loop) or holds(node, Kind.FORWARD):
            break
        found = node.place if isinstance(node, Call) else found
    return found


def forget() -> None:
    """Called before and after a tree is asked: the answers are kept by identity."""
    _below.clear()


def body_of(context: Context, root: list[Node] | None = None) -> list[Node]:
    """The list that a node stands in; `root` is the whole tree, for one around which nothing stands."""
    if not context.path:
        return root or []
    parent: tuple[Branch, Arm] | Loop | Region | Call = context.path[-1]
    return parent[1].body if isinstance(parent, tuple) else parent.body


def steps_directly(loop: Loop) -> bool:
    """True when the backward of this loop stands in no inner loop: it is the batch loop (or the only one)."""
    found = False
    for node, context in walk(loop.body):
        if isinstance(node, Event) and node.kind in (Kind.BACKWARD, Kind.OPTIMIZER_STEP):
            if not real_loops(context):
                found = True
    return found and not (loop.over is None and loop.what == "range" and has_batch_loop(loop))


def has_batch_loop(loop: Loop) -> bool:
    """True when a loop over data with a backward stands in this one."""
    return any(isinstance(node, Loop) and node.over is not None and holds(node, Kind.BACKWARD) for node, _ in walk(loop.body))
