"""What a program measures that trains nothing: a script that loads weights, runs the model over data and adds up what comes of it."""

from __future__ import annotations

from advisor.model.events import Context, Event, Kind, Loop, Node, events
from advisor.model.finished import once
from advisor.model.recipe import Fact, Flow, Module, Recipe, Restore
from advisor.model.source import Known, value_of

MEASURES = (Kind.LOSS, Kind.METRIC)


def main_code(recipe: Recipe) -> list[Node]:
    """What a program comes to by itself: of one that evaluates not the functions that nobody calls."""
    return recipe.tree[: recipe.evaluates] if recipe.evaluates else recipe.tree


@once
def loaded_models(recipe: Recipe) -> frozenset[Fact]:
    """The modules that are not as they were made: their weights come from a file."""
    found = {module.slot for module in recipe.modules if isinstance(module.pretrained, Known) and value_of(module.pretrained)}
    for event, context in events(main_code(recipe), Kind.RESTORE):
        restore = event.subject
        if isinstance(restore, Restore) and restore.module is not None and restore.saved is None and not isinstance(event.data.get("source"), Module):
            if not {"flag", "except"} & {arm.label for _, arm in context.arms} and any("model" in part for part in restore.parts.values()):
                found.add(restore.module.slot)
    return frozenset(found)


@once
def loaded_forwards(recipe: Recipe) -> list[tuple[Event, Context, Loop]]:
    """Every forward of a model whose weights were loaded, in a loop over data, that a loss, a metric or a sum of numbers takes up.

    What is only kept is no measurement: features are, and pictures, and what is run to renew the statistics of a batch norm gives nothing at all.
    """
    found: list[tuple[Event, Context, Loop]] = []
    loaded, whole = loaded_models(recipe), {model.slot for model in recipe.models}
    for event, context in events(main_code(recipe), Kind.FORWARD):
        model, loop = event.subject, _over_data(context)
        if loop is None or not isinstance(model, Module) or not (model.user_class or model.children or model.slot in whole):
            continue
        parts = list(model.walk())
        if loaded.isdisjoint(part.slot for part in parts) or any(part.escaped is not None for part in parts):
            continue
        if _measures(loop.body, model, Kind.COUNT, Kind.KEEP) or (_is_run_alone(loop, model, recipe) and _measures(main_code(recipe), model)):
            found.append((event, context, loop))
    return found


def _over_data(context: Context) -> Loop | None:
    """The loop over data around a forward that is run once in each of its turns: what a model gives several times for one batch is a sample of it.

    A camera is looked at for as long as somebody wants; that is no measurement either.
    """
    loops = [loop for loop in context.loops if loop.what not in ("parameters", "turn")]
    inner = loops[-1] if loops else None
    if inner is None or inner.what == "while" or (inner.what == "range" and not inner.name.strip("_")):
        return None  # nobody asks which turn it is: each draws once more
    return None if inner.over is None and any(loop.over is not None or loop.what in ("loader", "data") for loop in loops) else inner


def _measures(nodes: list[Node], model: Module, *kinds: Kind) -> bool:
    """True where a loss or a metric takes up what a model gives, or, of the other kinds, a sum of numbers does."""
    for event, _ in events(nodes, *MEASURES, *kinds):
        flow = event.data.get("input") or event.data.get("flow")
        if isinstance(flow, Flow) and any(module.slot is model.slot for module in flow.modules):
            if event.kind in MEASURES or (flow.rank == 0 and event.data.get("how", "add") == "add"):
                return True
    return False


def _is_run_alone(loop: Loop, model: Module, recipe: Recipe) -> bool:
    """True where a model is run in this loop and nowhere else: what is measured of it behind the loop comes from there."""
    forwards = [context for event, context in events(main_code(recipe), Kind.FORWARD) if _is(event.subject, model)]
    return all(loop in context.loops for context in forwards)


def _is(subject: object, model: Module) -> bool:
    return isinstance(subject, Module) and subject.slot is model.slot
