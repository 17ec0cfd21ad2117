"""Tests that stand between two batches of training: what a switch to eval mode and the switch back enclose."""

from __future__ import annotations

from itertools import pairwise

from advisor.model.events import Context, Event, Kind, Loop, Node, events
from advisor.model.folds import contains
from advisor.model.loaded import MEASURES
from advisor.model.recipe import Flow, Module


def set_aside(loop: Loop, context: Context, batch: Loop) -> bool:
    """True for a loop in a batch loop that measures something, where a model is put into eval mode before it and back into train mode behind it."""
    if not contains(loop.body, *MEASURES) or keeps_graph(loop):
        return False
    path = context.path[context.path.index(batch) : context.path.index(loop) + 1]
    for step, following in pairwise(path):
        body: list[Node] = (step[1] if isinstance(step, tuple) else step).body
        at = body.index(following[0] if isinstance(following, tuple) else following)
        if _switches(Kind.EVAL_MODE, body[:at]) and _switches(Kind.TRAIN_MODE, body[at + 1 :]):
            return not _trained_on(loop, batch)
    return False


def _trained_on(loop: Loop, batch: Loop) -> bool:
    """True where a loss that is computed in the loop alone goes into what training takes back."""
    own = {event.subject for event, _ in events(loop.body, Kind.LOSS)}
    own -= {event.subject for event, around in events(batch.body, Kind.LOSS) if loop not in around.path}
    flows = (event.data.get("flow") for event, _ in events(batch.body, Kind.BACKWARD))
    return any(isinstance(flow, Flow) and not own.isdisjoint(flow.losses) for flow in flows)


def _switches(kind: Kind, nodes: list[Node]) -> bool:
    return any(isinstance(node, Event) and node.kind is kind for node in nodes)


def keeps_graph(loop: Loop) -> bool:
    """True when something with its graph outlives a turn, outside of the model: a backward may come to it later."""
    kept = [
        event.data.get("flow") for event, context in events(loop.body, Kind.KEEP) if not any(isinstance(call.of, Module) for call in context.calls)
    ]
    return any(isinstance(flow, Flow) and flow.graph == "kept" for flow in kept)
