"""Optimizers that hold frozen weights alone."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer all of whose modules were frozen and stay so."""
    groups = optimizer.groups
    if not optimizer.groups_complete or not groups or optimizer.escaped or any(group.parameters.inputs for group in groups):
        return
    modules = optimizer.modules
    if modules and all(module.trainable == "no" and module.fully_known for module in modules):
        names = ", ".join(dict.fromkeys(module.name for module in modules))
        yield ctx.finding("nothing-to-train", at=optimizer, confidence="medium" if optimizer.flag_off else None, models=names)
