"""Tests of a model every so many batches of training, on data that no loop cuts into batches."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.events import Context, Event, Kind, Loop, events
from advisor.model.finished import once
from advisor.model.folds import loaders, training_loop
from advisor.model.loaded import MEASURES
from advisor.model.modes import gradients_off, gradients_on, trained_modules
from advisor.model.recipe import Fact, Flow, Module, Recipe
from advisor.model.source import number


@once
def tests_between_batches(recipe: Recipe) -> frozenset[Event]:
    """Every forward without gradients under `if step % n == 0` in a batch loop, on other data than the model is trained on there, of which a loss
    or a metric is computed without gradients, too. Not where several optimizers train networks against each other."""
    if len({optimizer.slot for optimizer in recipe.optimizers}) != 1:
        return frozenset()
    trained = {part.slot for module in trained_modules(recipe) for part in module.walk()}
    return frozenset(event for event, model, loop in _now_and_then(recipe) if model.slot in trained and _is_test(event, model, loop))


def _now_and_then(recipe: Recipe) -> Iterator[tuple[Event, Module, Loop]]:
    for event, context in events(recipe.tree, Kind.FORWARD):
        loop = training_loop(context)
        if loop is None or not isinstance(event.subject, Module) or gradients_off(context) is None:
            continue
        inside = Context(context.path[context.path.index(loop.batch) + 1 :])
        asked = [branch.condition for branch, arm in inside.arms if branch.condition is not None and arm.taken_when is not branch.condition.negated]
        if any(condition.operator == "==" and number(condition.modulo) is not None for condition in asked):
            yield event, event.subject, loop.batch


def _is_test(event: Event, model: Module, loop: Loop) -> bool:
    given = event.data.get("input")
    if not isinstance(given, Flow) or given.graph != "none" or given.source in loaders(loop):
        return False
    trained_on = [
        other.data.get("input") for other, around in events(loop.body, Kind.FORWARD) if _slot(other) is model.slot and gradients_on(other, around)
    ]
    if not trained_on or not all(isinstance(flow, Flow) and (flow.source, flow.part) != (given.source, given.part) for flow in trained_on):
        return False
    measured = (other for other, around in events(loop.body, *MEASURES) if gradients_off(around) is not None)
    return any(model.slot in {module.slot for module in _measured(other)} for other in measured)


def _slot(event: Event) -> Fact | None:
    return event.subject.slot if isinstance(event.subject, Module) else None


def _measured(event: Event) -> tuple[Module, ...]:
    flow = event.data.get("input") or event.data.get("flow")
    return flow.modules if isinstance(flow, Flow) else ()
