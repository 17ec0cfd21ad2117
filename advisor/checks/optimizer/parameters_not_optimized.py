"""Weights that the loss depends on and that no optimizer holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.facts import wholes
from advisor.model.finding import Finding, Severity
from advisor.model.folds import contains, training_loop, training_loops
from advisor.model.gradients import by_hand, reached
from advisor.model.kinds import WEIGHTED, is_pretrained, layers
from advisor.model.linked import linked, renewed, run_with_gradients
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import Link, Place

if TYPE_CHECKING:
    from advisor.model.trace import Trace


def check(recipe: Recipe | Trace, ctx: Context) -> Iterator[Finding]:
    """In the text whole models, at run time every weight whose gradient is filled and that nobody reads or clears."""
    if not isinstance(recipe, Recipe):
        yield from _filled(recipe, ctx)
    else:
        yield from _used_up(recipe, ctx)
        yield from _other_models(recipe, ctx)
        yield from _forgotten_models(recipe, ctx)


def _used_up(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Groups that ask a generator which another group, or a loop, has emptied."""
    for optimizer in recipe.optimizers:
        for group in optimizer.groups:
            place, asked = group.parameters.consumed_by, group.parameters
            if place is not None and asked.modules and not _chosen_instead(recipe, optimizer, place):
                model = ", ".join(module.name for module in asked.modules)
                evidence = [Link(optimizer.place.file, optimizer.place.line, "the optimizer")]
                yield ctx.finding("used-up", at=place, evidence=evidence, model=model, optimizer=optimizer.name, line=optimizer.place)
                break


def _chosen_instead(recipe: Recipe, optimizer: Optimizer, place: Place) -> bool:
    """True where another optimizer took them that other flags choose, or that one name holds instead of it: only one of the two is made."""
    takers = [other for other in recipe.optimizers if other is not optimizer and (other.place.file, other.place.line) == (place.file, place.line)]
    return any(other.when != optimizer.when or other.slot is optimizer.slot for other in takers)


def _filled(trace: Trace, ctx: Context) -> Iterator[Finding]:
    for found in trace.not_optimized:
        names = ", ".join(found.names[:4]) + (", ..." if len(found.names) > 4 else "")
        severity: Severity | None = "warning" if found.pretrained else None
        yield ctx.finding("filled", at=found.place, severity=severity, names=names, model=found.model, count=found.count, total=found.total)


def _forgotten_models(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each model that a loss comes through with gradients and of which no optimizer holds a weight, beside one that is held."""
    if not recipe.optimizers.items or not recipe.optimizers.complete or by_hand(recipe):
        return
    if not all(_certain(optimizer) for optimizer in recipe.optimizers):
        ctx.skip("it is not known which weights an optimizer holds", recipe.optimizers.items[0])
        return
    held = _held(recipe)
    through = run_with_gradients(recipe)
    beside = linked(recipe, held)
    fixed = {event.subject for event, _ in events(recipe.tree, Kind.EVAL_MODE)} - {event.subject for event, _ in events(recipe.tree, Kind.TRAIN_MODE)}
    seen: set[Module] = set()
    for backward, context in events(recipe.tree, Kind.BACKWARD):
        parts = reached(backward)
        if training_loop(context) is None or held.isdisjoint(parts):
            continue
        for module in recipe.models:
            if module in seen | fixed or module not in parts or module not in through or not _forgotten(module, held):
                continue
            seen.add(module)
            if beside.isdisjoint(module.walk()) or renewed(recipe, module):
                ctx.skip("a network beside those that are trained may be what they are compared with, or follow their weights", module)
                continue
            yield ctx.finding("whole-model", at=module, line=backward.place, model=module.name, held=_names(recipe, module))


def _other_models(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each optimizer that steps in a batch loop whose losses come through other models alone, of which no optimizer holds a weight."""
    if not recipe.optimizers.complete or by_hand(recipe) or not all(_certain(optimizer) for optimizer in recipe.optimizers):
        return
    held = {part.slot for part in _held(recipe)}
    for loop in training_loops(recipe):
        body = loop.batch.body
        if contains(body, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.UNTOLD, Kind.AUTOGRAD_GRAD, Kind.RESTORE):
            continue
        steps = [event.subject for event, _ in events(body, Kind.OPTIMIZER_STEP)]
        backwards = [event for event, _ in events(body, Kind.BACKWARD)]
        through = [model for model in recipe.models if all(model in reached(backward) for backward in backwards) and _forgotten(model, set())]
        if not through or not all(isinstance(step, Optimizer) and not step.flag_off and _holds_models(step) for step in steps):
            continue
        run = [part for event, _ in events(body, Kind.FORWARD) if isinstance(event.subject, Module) for part in event.subject.walk()]
        parts = frozenset().union(*map(reached, backwards))
        if not held.isdisjoint(part.slot for part in (*run, *parts)) or any(model.when for model in through):
            continue
        for optimizer in dict.fromkeys(steps):
            models = ", ".join(model.name for model in through)
            trained = ", ".join(module.name for module in optimizer.modules)
            yield ctx.finding("other-model", at=optimizer, line=backwards[0].place, model=models, held=trained)


def _held(recipe: Recipe) -> set[Module]:
    """What optimizers hold, and what was a part of it before another was put in its place: they may have been made by then."""
    held = {part for optimizer in recipe.optimizers for part in wholes(optimizer.modules)}
    return held | {part for module in held for old in module.gave_up for part in old.walk()}


def _holds_models(optimizer: Optimizer) -> bool:
    """True for an optimizer that is given all weights of models that were read whole and handed to nothing unread."""
    if not optimizer.groups_complete or not all(group.parameters.exact and not group.parameters.inputs for group in optimizer.groups):
        return False
    return bool(optimizer.modules) and all(module.escaped is None and module.fully_known for module in optimizer.modules)


def _certain(optimizer: Optimizer) -> bool:
    parameters = [group.parameters for group in optimizer.groups]
    return optimizer.groups_complete and bool(parameters) and not optimizer.escaped and all((p.modules or p.inputs) and not p.why for p in parameters)


def _forgotten(module: Module, held: set[Module]) -> bool:
    if module.trainable != "yes" or module.copy_of is not None or module.escaped or not module.fully_known or is_pretrained([module]):
        return False
    if any(part.tied for part in module.walk()):
        return False
    return any(layer.trainable == "yes" for layer in layers([module], WEIGHTED)) and held.isdisjoint(module.walk())


def _names(recipe: Recipe, forgotten: Module) -> str:
    names = dict.fromkeys(module.name for optimizer in recipe.optimizers for module in optimizer.modules)
    return ", ".join(f"another {name}" if name == forgotten.name else name for name in names)
