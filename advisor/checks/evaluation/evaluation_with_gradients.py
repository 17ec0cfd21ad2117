"""Evaluations that build a graph for every batch, or for all data at once."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.aside import set_aside
from advisor.model.events import Call, Event, Exit, Kind, Loop, walk
from advisor.model.events import Context as Around
from advisor.model.finding import Finding
from advisor.model.finished import once
from advisor.model.folds import contains, loaders, training_loops
from advisor.model.loaded import MEASURES
from advisor.model.modes import evaluation_loop, evaluations_at_once, frozen_by_then, gradients_on, graphs_of_evaluation, role_of
from advisor.model.recipe import Recipe
from advisor.model.source import Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each evaluation loop of a program with a forward outside no_grad, where the first forward is named, and each forward in eval mode
    on data that no loop cuts into batches."""
    if "no-grad" in recipe.owner_silences or not (recipe.trains or recipe.evaluates):
        return
    seen: set[object] = set()
    for event, context, innermost, model in graphs_of_evaluation(recipe):
        loop = _over_data(innermost, context, recipe)
        if loop is None or loop in seen or not gradients_on(event, context) or frozen_by_then(event, model, recipe):
            continue
        one_batch = any(isinstance(node, Exit) and node.what == "break" for node in loop.body)
        if one_batch or contains(loop.body, Kind.AUTOGRAD_GRAD, Kind.BACKWARD, Kind.GRAD_WRITE):
            continue
        seen.add(loop)
        inside = context.path[context.path.index(loop) + 1 :] if loop in context.path else ()
        at = next((node.place for node in inside if isinstance(node, Call)), event)
        yield ctx.finding("graph", at=at, model=model.name, role=role_of(loop), line=loop.place)
    for event, context in evaluations_at_once(recipe) if recipe.trains else ():
        around = context.calls[-1:], context.loops[-1:]
        if around not in seen and seen.isdisjoint(context.loops) and gradients_on(event, context):
            if frozen_by_then(event, event.subject, recipe):
                continue
            seen.add(around)
            yield ctx.finding("graph-at-once", at=event, model=event.subject.name)


def _over_data(loop: Loop, context: Around, recipe: Recipe) -> Loop | None:
    """The loop that evaluates: around one that is a part of the model's own work, step by step; None where that goes over no data and measures
    nothing, as where a policy plays on."""
    if loop.what not in ("range", "while") or loop.place not in _computing(recipe) or loop not in context.path:
        return loop
    outer = evaluation_loop(Around(context.path[: context.path.index(loop)]))
    if outer is None or loaders(outer) or outer.what in ("loader", "data") or contains(outer.body, *MEASURES):
        return outer
    return None


@once
def _computing(recipe: Recipe) -> frozenset[Place]:
    """Where loops stand that training goes through before its backward, over no data: of a decoder, say, that evaluation runs as well."""
    found: set[Place] = set()
    for loop in training_loops(recipe):
        waiting: set[Place] = set()
        for node, around in walk(loop.batch.body):
            if isinstance(node, Loop) and node.what in ("range", "while") and contains(node.body, Kind.FORWARD):
                if not set_aside(node, Around((loop.batch, *around.path, node)), loop.batch):
                    waiting.add(node.place)
            elif isinstance(node, Event) and node.kind is Kind.BACKWARD:
                found |= waiting
    return frozenset(found)
