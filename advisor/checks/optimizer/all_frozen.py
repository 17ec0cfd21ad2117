"""Optimizers that hold frozen weights alone."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Module, Optimizer, Recipe


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer all of whose modules were frozen and stay so."""
    groups = optimizer.groups
    if not optimizer.groups_complete or not groups or optimizer.escaped or any(group.parameters.inputs for group in groups):
        return
    modules = optimizer.modules
    if modules and all(module.asleep is not None for module in modules):
        yield ctx.finding("asleep", at=modules[0].asleep or optimizer, model=modules[0].name, kind=optimizer.name)
        return
    if not modules or not all(module.trainable == "no" and module.fully_known for module in modules) or _lies_idle(optimizer, ctx.recipe):
        return
    if _frozen_later(optimizer, ctx.recipe).isdisjoint(modules):
        names = ", ".join(dict.fromkeys(module.name for module in modules))
        yield ctx.finding("nothing-to-train", at=optimizer, confidence="medium" if optimizer.flag_off else None, models=names)


def _lies_idle(optimizer: Optimizer, recipe: Recipe) -> bool:
    """True for an optimizer that never steps, where others do: what it holds may be frozen for their sake, as a critic is for a generator's."""
    steps = [event.subject for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    seen = recipe.framework == "plain" and recipe.whole and bool(steps)
    return seen and all(isinstance(other, Optimizer) and other.slot is not optimizer.slot for other in steps)


def _frozen_later(optimizer: Optimizer, recipe: Recipe) -> set[Module]:
    """What is frozen when its optimizer has stepped: a first stage trained it, for the next to build on."""
    found: set[Module] = set()
    stepped = False
    for event, _ in events(recipe.tree, Kind.FREEZE, Kind.OPTIMIZER_STEP):
        if event.kind is Kind.OPTIMIZER_STEP:
            stepped = stepped or (isinstance(event.subject, Optimizer) and event.subject.slot is optimizer.slot)
        elif stepped:
            found |= {module for module, before in event.data.get("was", {}).items() if before == "yes"}
    return found
