"""Whether a backward may come to a graph that a loop keeps."""

from __future__ import annotations

from advisor.model.events import Call, Event, Kind, Loop, events
from advisor.model.events import Context as Around
from advisor.model.folds import contains
from advisor.model.recipe import Flow, Module, Recipe

PLAIN = ("none", "cut")


def never_led_back(loop: Loop, model: Module, recipe: Recipe) -> bool:
    """True where every backward through a model is that of a loss of what the model gives in the same turn, against what has no graph: what another
    loop keeps meets none."""
    for event, context in events(recipe.tree, Kind.BACKWARD, Kind.AUTOGRAD_GRAD):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow):
            return False
        if all(part.slot is not model.slot for part in flow.modules):
            continue
        if event.kind is not Kind.BACKWARD or not flow.losses or flow.other_terms or not _of_its_own_turn(loop, model, flow, context):
            return False
    return True


def _of_its_own_turn(loop: Loop, model: Module, flow: Flow, context: Around) -> bool:
    """True where the turn, or the function, in which a backward stands runs the model and reckons its losses, and the other loop stands elsewhere."""
    around = next((node for node in reversed(context.path) if isinstance(node, (Loop, Call)) and contains(node.body, Kind.FORWARD)), None)
    if around is None:
        return False
    ran, left = False, set(flow.losses)
    for event, inside in events(around.body, Kind.FORWARD, Kind.LOSS):
        if loop in inside.loops:
            return False
        if event.kind is Kind.FORWARD:
            ran = ran or (isinstance(event.subject, Module) and event.subject.slot is model.slot)
        elif event.subject in left:
            if not ran or not all(_is_plain(event, name) for name in ("target", "other")):
                return False
            left.discard(event.subject)
    return not left


def _is_plain(event: Event, name: str) -> bool:
    """True for what a loss is given beside the scores, where nothing in it has a graph."""
    given = event.data.get(name)
    held = given if isinstance(given, (list, tuple)) else [given]
    return all(not isinstance(flow, Flow) or flow.graph in PLAIN for flow in held)
