"""Layers that join a model after its optimizer was built."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import Link

# What layers with weights are told.
SIZES = frozenset({"in_features", "in_channels", "num_embeddings", "num_features", "normalized_shape", "input_size"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each optimizer that goes on being stepped after its model got a layer that it does not hold."""
    built: dict[Optimizer, int] = {}
    before: set[Module] = set()  # the text that builds a layer may be executed again, for another model
    late: dict[Optimizer, Event] = {}
    for index, (event, _) in enumerate(events(recipe.tree, Kind.BUILD, Kind.OPTIMIZER_STEP)):
        if event.kind is Kind.OPTIMIZER_STEP:
            optimizer = event.subject
            if isinstance(optimizer, Optimizer) and optimizer in late:
                yield _finding(optimizer, late.pop(optimizer), ctx)
        elif isinstance(event.subject, Optimizer):
            for old in [one for one in built if one.place == event.subject.place]:  # of another turn: the next one is stepped from here on
                late.pop(old, None)
            if event.subject.groups_complete and not event.subject.escaped:
                built[event.subject] = index
        elif isinstance(event.subject, Module) and not event.subject.user_class and event.subject not in before:
            before.add(event.subject)
            for optimizer in built:
                if optimizer not in late and _joins(event.subject, optimizer) and not _handed_over(event.subject, recipe):
                    late[optimizer] = event


def _joins(layer: Module, optimizer: Optimizer) -> bool:
    """True for a layer with weights that is now part of what the optimizer was given whole."""
    exact = [group.parameters for group in optimizer.groups if group.parameters.exact]
    return not SIZES.isdisjoint(layer.settings) and any(layer in module.walk() for parameters in exact for module in parameters.modules)


def _handed_over(layer: Module, recipe: Recipe) -> bool:
    """True when the layer itself was handed to this optimizer later (add_param_group), or to another one."""
    return any(layer in group.parameters.modules for other in recipe.optimizers for group in other.groups)


def _finding(optimizer: Optimizer, change: Event, ctx: Context) -> Finding:
    evidence = [Link(change.place.file, change.place.line, f"{change.subject.name} is built here")]
    under = optimizer.flag_off or change.subject.flag_off
    return ctx.finding(
        "layer-added", at=optimizer, evidence=evidence, confidence="medium" if under else None, layer=change.subject.name, line=change.place
    )
