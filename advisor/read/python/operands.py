"""Sums that Python refuses: a path and a text, or a text and a number."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.read.python import scopes
from advisor.read.python.values import Constant, Instance, Opaque, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

PATH = "pathlib.Path"
NUMBERS = ("int", "float")
COUNTING = frozenset(["len", "int", "float", "round", "item", "time"])  # calls that give a number


def judge(reader: Reader, left: Value, right: Value, node: ast.AST) -> None:
    """Notes a sum whose two sides have types that do not go together, whatever the settings are."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add) or reader.refusals.guarded:
        return
    types = _type(reader, left, node.left), _type(reader, right, node.right)
    if None in types or not (set(types) == {PATH, "str"} or ("str" in types and not {*types}.isdisjoint(NUMBERS))):
        return
    if any(label != "default" for _, label in reader.conditions) or reader.frame.module.cells is not None:
        return
    first, second = types
    reader.refusals.note_once(reader, RefusedCall(reader.place(node), callee=reader.text(node), operands=(str(first), str(second))))


def _type(reader: Reader, value: Value, node: ast.expr) -> str | None:
    """The type of a side of the sum, where the text around it leaves no doubt."""
    if isinstance(value, Instance):
        return PATH if value.kind == PATH and value.cls is None else None
    if isinstance(value, Constant):
        if value.weak or (value.origin and _counts(value.value)):
            return None  # a number that a config holds as a text is told of elsewhere
        known = type(value.value).__name__
        return known if known in ("str", *NUMBERS) else None
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"):
        return "str"
    if not isinstance(value, Opaque) or value.type not in NUMBERS:
        return None
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return value.type if name in COUNTING else None
    return value.type if isinstance(node, ast.Name) and _is_counter(reader, node.id) else None


def _counts(text: object) -> bool:
    """True for a text that reads as a number."""
    try:
        float(str(text))
    except ValueError:
        return False
    return True


def _is_counter(reader: Reader, name: str) -> bool:
    """True for a name that loops bind and nothing else in its function."""
    function = reader.frame.function
    return name in scopes.counters(reader.frame.module.tree if function is None else function.node)
