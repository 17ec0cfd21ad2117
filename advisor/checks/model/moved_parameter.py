"""Parameters that are moved to a device before the module gets them, and tensors that were to be some."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.gradients import by_hand
from advisor.model.recipe import Module, Recipe


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each attribute that holds what .to(device) or .cuda() made of a parameter."""
    if module.copy_of is not None:
        return
    for attribute, place in module.moved:
        yield ctx.finding("copied", at=place, attribute=attribute, model=module.name)
    if module.leaves and _is_trained(module, ctx.recipe):
        for attribute, place in module.leaves:
            yield ctx.finding("plain", at=place, attribute=attribute, model=module.name)


def _is_trained(module: Module, recipe: Recipe) -> bool:
    """True where optimizers hold the registered weights of the module, and no tensor by itself."""
    if not recipe.trains or not recipe.optimizers.items or not recipe.optimizers.complete or by_hand(recipe):
        return False
    given = [group.parameters for optimizer in recipe.optimizers for group in optimizer.groups]
    sure = all(one.modules and one.exact and not one.inputs and not one.why for one in given)
    whole = all(optimizer.groups_complete and optimizer.escaped is None for optimizer in recipe.optimizers)
    return sure and whole and any(module in held.walk() for one in given for held in one.modules)
