"""Pretrained modules that no optimizer holds: whatever a program does with their outputs, their weights stay as they came."""

from __future__ import annotations

from collections.abc import Callable

from advisor.model.kinds import WEIGHTED, brings_weights, layers
from advisor.model.recipe import Module, Recipe


def left_out(recipe: Recipe) -> Callable[[Module], bool]:
    """Tells pretrained modules of which no optimizer holds a weight, where it is known what each of them holds: they are left as they came."""
    optimizers = recipe.optimizers
    known = optimizers.complete and all(
        optimizer.groups_complete and optimizer.escaped is None and optimizer.modules and not any(group.parameters.why for group in optimizer.groups)
        for optimizer in optimizers
    )
    held = {part for optimizer in optimizers for module in optimizer.modules for part in module.walk()} if known else set()
    copied = {part for module in recipe.modules if module.copy_of is not None for part in module.copy_of.walk()}  # teachers of what is trained

    def left(module: Module) -> bool:
        if not held or module.trainable != "yes" or not module.fully_known:
            return False
        if any(part.copy_of or part.tied or part.escaped or part in copied for part in module.walk()):
            return False
        return brings_weights(module) and bool(layers([module], WEIGHTED)) and held.isdisjoint(module.walk())

    return left
