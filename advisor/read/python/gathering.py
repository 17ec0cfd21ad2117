"""What a loop over data leaves in its names: the value of the last batch, or something gathered over all of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import Loader
from advisor.model.record import replace
from advisor.read.python.values import Opaque, Tensor

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

GATHERING_METHODS = frozenset({"append", "extend", "update", "add", "add_batch", "log", "put"})


def settle(reader: Reader, node: ast.For | ast.AsyncFor, over: object) -> None:
    """Marks the measurements that a finished loop over a loader has bound: `last-batch` for those bound anew in each turn, else `epoch`."""
    if not isinstance(over, Loader) or any(isinstance(statement, ast.Break) for statement in node.body):
        return
    bound, gathered = _names(node)
    for name in bound:
        value = reader.frame.lookup(name)
        home = reader.frame.home(name)
        if name not in home or not isinstance(value, (Tensor, Opaque)) or value.flow is None:
            continue
        flow = value.flow
        if flow.aggregate is None and (flow.losses or flow.metric is not None):
            reader.store.write(home, name, replace(value, flow=replace(flow, aggregate="epoch" if name in gathered else "last-batch")))


def _names(node: ast.AST) -> tuple[set[str], set[str]]:
    """The names that a loop binds, and those that grow from turn to turn."""
    gathered: set[str] = set()
    assigned: list[tuple[set[str], set[str]]] = []
    for item in ast.walk(node):
        if isinstance(item, ast.AugAssign):
            gathered |= _mentioned(item.target)
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in GATHERING_METHODS:
            gathered |= _mentioned(item.func.value)
        elif isinstance(item, ast.Assign):
            targets = {name for target in item.targets for name in _mentioned(target)}
            assigned.append((targets, _mentioned(item.value)))
    for _ in range(2):
        for targets, used in assigned:
            if used & (targets | gathered):
                gathered |= targets
    return {name for targets, _ in assigned for name in targets} | gathered, gathered


def _mentioned(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
