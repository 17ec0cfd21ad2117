"""Layers that a list holds several times because it was multiplied: `[Block()] * 3` makes one block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.kinds import has_weights
from advisor.model.recipe import Module
from advisor.read.python.values import Instance, Sequence, Tensor, members

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

SWITCHES = ("affine", "elementwise_affine")  # of norms: False gives them no weights
DEEPEST = 6  # parts of parts that are looked into


def note(reader: Reader, node: ast.AST, held: Sequence) -> None:
    """Marks the modules with weights that are made within the multiplied list itself: one that has a name may be shared on purpose."""
    written = node.left if isinstance(node, ast.BinOp) else None
    if not isinstance(written, (ast.List, ast.Tuple)) or len(written.elts) != len(held.items):
        return
    for element, item in zip(written.elts, held.items):
        fact = item.fact if isinstance(item, Instance) else None
        if isinstance(element, ast.Call) and isinstance(fact, Module) and fact.place == reader.place(element) and _weighted(item):
            fact.multiplied = reader.place(node)


def _weighted(item: object, depth: int = 0) -> bool:
    """True for a module that has weights for sure, be it parameters of its own or those of its layers."""
    if not isinstance(item, Instance) or not isinstance(item.fact, Module) or depth > DEEPEST:
        return False
    parts = item.fact.walk()
    if has_weights(item.fact) or any(part.name.endswith("Norm") and not part.user_class and not _switched_off(part) for part in parts):
        return True
    for held in item.attributes.values():
        for member in members(held):
            if (isinstance(member, Tensor) and member.flow.activation == "parameter") or _weighted(member, depth + 1):
                return True
    return False


def _switched_off(norm: Module) -> bool:
    return any(getattr(norm.settings.get(name), "value", True) is False for name in SWITCHES)
