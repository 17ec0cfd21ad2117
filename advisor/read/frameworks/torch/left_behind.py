"""The state of an optimizer that is loaded while its weights are on the CPU, and stays there when they are moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.facts import whole
from advisor.model.recipe import Module, Restore
from advisor.read.frameworks.torch import devices

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader


def loaded(reader: Reader, restore: Restore) -> None:
    """Notes that what an optimizer is given goes to the CPU, where its weights are. What it was given before is no longer there."""
    optimizer = restore.optimizer
    if optimizer is None:
        return
    for before in reader.recipe.restores:
        if before.optimizer is not None and before.optimizer.slot is optimizer.slot:
            before.left_behind = before.arms = None
    held = {part for module in optimizer.modules for part in whole(module)}
    if not held or optimizer.user_class or optimizer.owner or not optimizer.groups_complete:
        return
    placed = [module for module in reader.recipe.modules if module.placed or module.wrapped or module.escaped or module.prepared]
    if not any(held.intersection(whole(module)) for module in placed):
        restore.arms = frozenset(text for text, _ in reader.conditions)


def moved(call: LibraryCall, module: Module, name: str) -> None:
    """Notes where the weights go that such a state belongs to. Of two arms of one branch a run takes one."""
    reader = call.reader
    waiting = [restore for restore in reader.recipe.restores if restore.arms is not None and restore.left_behind is None]
    if not waiting or devices.leaves_cpu(call, name) is not True:
        return
    parts = set(whole(module))
    against = {text.removeprefix("not (").removesuffix(")") if text.startswith("not (") else f"not ({text})" for text, _ in reader.conditions}
    for restore in waiting:
        held = restore.optimizer.modules if restore.optimizer is not None else ()
        if parts.issuperset(held) and restore.arms is not None and restore.arms.isdisjoint(against):
            restore.left_behind = call.place
