"""Losses that are summed or collected with their graph."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Call, Event, Kind, Loop, events
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.folds import contains, loaders, training_loop
from advisor.model.losses import starts_again
from advisor.model.modes import OFF, graphs_of_evaluation
from advisor.model.recipe import Flow, Module, Recipe
from advisor.model.record import replace
from advisor.model.source import Link

HELD_OUT = ("validation", "test")  # whatever a model gives for these data, no backward is to come


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """In training: kept beside its backward. In evaluation: kept with no backward in sight."""
    graphs = [(loop, model) for _, _, loop, model in graphs_of_evaluation(recipe)]
    measured = {loop for loop, _ in graphs if any(loader.role in HELD_OUT for loader in loaders(loop))}
    listed = {loop: model for loop, model in graphs if loop.what in ("items", "data") and not loaders(loop)}  # over samples, and not over a loader
    for event, context in events(recipe.tree, Kind.KEEP):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow) or flow.graph != "kept" or any(region.what in OFF for region in context.regions):
            continue
        loop = training_loop(context)
        turn = loop.batch if loop is not None else _data_loop(context) or next((held for held in context.loops if held in listed), None)
        if turn is None or starts_again(turn, event.data.get("variable")) or not _outlives(turn, event, context):
            continue
        outside = not any(isinstance(call.of, Module) for call in context.calls)  # what a model keeps inside is its own affair
        held_out = turn in measured or turn in listed
        if loop is None and (flow.losses or (held_out and outside)) and (_of_this_batch(flow, turn) or listed.get(turn) in flow.modules):
            case = "evaluation"
        elif loop is not None and _trained_on(turn, event, context, flow) and not _meets_backward(recipe, event):
            case = "training"
        else:
            continue
        handed = _handed_over(context, turn)
        evidence = [Link(event.place.file, event.place.line, "kept here")] if handed is not None else []
        yield ctx.finding(case, at=handed or event, evidence=evidence, name=event.data.get("text", ""))


def _data_loop(context: Around) -> Loop | None:
    """The innermost loop over a loader."""
    return next((loop for loop in reversed(context.loops) if loop.over is not None), None)


def _of_this_batch(flow: Flow, turn: Loop) -> bool:
    """True when the loss is computed from what the loop takes in this turn."""
    return any(loader in (flow.source, *flow.sources) for loader in loaders(turn))


def _outlives(turn: Loop, keep: Event, context: Around) -> bool:
    """False for a list, a dict, an object or a name of a function that is made anew in every turn."""
    count, loops = keep.data.get("loops"), [loop for loop in context.loops if loop.what != "turn"]
    return count is None or turn in loops[max(len(loops) - count, 0) :]


def _trained_on(turn: Loop, keep: Event, context: Around, flow: Flow) -> bool:
    return _has_backward(turn, keep, context, flow) or _starts_alone(turn, keep, flow)


def _has_backward(turn: Loop, keep: Event, context: Around, flow: Flow) -> bool:
    """True when the loss meets its backward in the same turn. A list may collect losses for the backward, so only what is added after it counts."""
    added, taken = keep.data.get("how") == "add", dict(context.arms)
    for event, around in events(turn.body, Kind.BACKWARD, Kind.KEEP):
        if event is keep and not added:
            return False
        met = event.data.get("flow")
        if any(taken.get(branch, arm) is not arm for branch, arm in around.arms):
            continue  # another way than that of the keep
        if event.kind is Kind.BACKWARD and isinstance(met, Flow) and (_same(flow, met) or set(flow.losses) & set(met.losses)):
            return True
    return False


def _starts_alone(turn: Loop, keep: Event, flow: Flow) -> bool:
    """True for what is put into a list and is itself where the backward of the turn starts; every backward of its loss starts there."""
    met = [event for event, _ in events(turn.body, Kind.BACKWARD) if _shares(flow, event.data.get("flow"))]
    return bool(met) and keep.data.get("item") is not None and all(event.data.get("item") == keep.data["item"] for event in met)


def _shares(flow: Flow, met: object) -> bool:
    """True for a backward of the same loss; of losses that could not be read, for one that comes of the same models."""
    return isinstance(met, Flow) and bool(set(flow.losses) & set(met.losses) or (not flow.losses and set(flow.modules) & set(met.modules)))


def _handed_over(context: Around, turn: Loop) -> Call | None:
    """The call in the loop that hands the loss to code which only keeps it, such as a meter."""
    inside = context.path[context.path.index(turn) :]
    calls = (node for node in inside if isinstance(node, Call))
    return next((call for call in calls if not contains(call.body, Kind.FORWARD, Kind.LOSS, Kind.BACKWARD)), None)


def _same(one: Flow, two: Flow) -> bool:
    """True for one value and a multiple of it."""
    return replace(one, divided=()) == replace(two, divided=())


def _meets_backward(recipe: Recipe, keep: Event) -> bool:
    """True when the sum itself is the start of a backward."""
    variable = keep.data.get("variable")
    return variable is not None and any(event.data.get("variable") == variable for event, _ in events(recipe.tree, Kind.BACKWARD))
