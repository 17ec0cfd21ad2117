"""What a function returns as several values and its caller takes for one: a tuple is multiplied, added to a loss, asked for `item()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.read.python import called, classes, refusals, scopes
from advisor.read.python.values import Constant, Function, Instance, Opaque, Sequence, Tensor, Value

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader

REFUSED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)  # a tuple is added to a tuple, and multiplied with a whole number
OF_TUPLE = frozenset(dir(tuple))


def judge_operator(reader: Reader, left: Value, right: Value, node: ast.AST) -> None:
    """Notes `weight * penalty(x)` and `total += loss(x, y)`, where the function returns several values on every way."""
    if not isinstance(node, (ast.BinOp, ast.AugAssign)):
        return
    before, behind = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    if isinstance(left, Sequence) and _refuses(node.op, right, behind):
        _note(reader, left, before, node)
    elif isinstance(right, Sequence) and _refuses(node.op, left, before):
        _note(reader, right, behind, node)


def of_tensors(pair: Sequence, name: str, request: LibraryCall) -> Value | None:
    """Notes `loss(x, y).item()`, a method of tensors. What backward() is asked of is a loss, whatever it is."""
    from advisor.read.frameworks.torch.members import MEMBERS
    from advisor.read.python.calls import call_method

    reader, node = request.reader, request.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name in MEMBERS["tensor"] and name not in OF_TUPLE:
        _note(reader, pair, node.func.value, node)
    return call_method(reader, Opaque("several values, taken for a loss"), name, request.arguments, node) if name == "backward" else None


def _refuses(op: ast.operator, other: Value, node: ast.expr) -> bool:
    if isinstance(other, Tensor):
        known = other.flow.graph == "kept" and other.flow.unread is None
        return known and isinstance(op, (*REFUSED, ast.Add, ast.Mult))
    if not isinstance(other, Constant) or type(other.value) not in (int, float) or not isinstance(node, (ast.Constant, ast.Name, ast.Attribute)):
        return False
    return isinstance(op, (*REFUSED, ast.Add)) or (isinstance(op, ast.Mult) and isinstance(other.value, float))


def _note(reader: Reader, pair: Sequence, taken: ast.expr, node: ast.AST) -> None:
    if pair.kind != "tuple" or reader.refusals.guarded or reader.frame.module.cells is not None or called.is_asked(reader, taken):
        return
    function = _returning(reader, _call_of(reader, taken))
    if function is None or function in reader.refusals.by_default:
        return
    counts = refusals.returned(function)
    if counts:
        fact = RefusedCall(reader.place(node), callee=function.name, defined=function.module.place(function.node), given=max(counts))
        fact.as_one = reader.text(node)
        reader.refusals.note_once(reader, fact)


def _call_of(reader: Reader, taken: ast.expr) -> ast.expr | None:
    """The call that is taken for one value: the expression itself, or what alone its name is bound to here."""
    if not isinstance(taken, ast.Name):
        return taken
    function = reader.frame.function
    at_top = function is None or isinstance(function.node, ast.Lambda)
    parts = scopes.parts_of(reader.frame.module.tree if at_top or function is None else function.node)
    bound = [part for part in parts if isinstance(part, ast.Name) and part.id == taken.id and not isinstance(part.ctx, ast.Load)]
    given = any(isinstance(part, ast.arg) and part.arg == taken.id for part in parts)
    assigned = next((part for part in parts if isinstance(part, ast.Assign) and part.targets == bound), None)
    return assigned.value if assigned is not None and len(bound) == 1 and not given else None


def _returning(reader: Reader, call: ast.expr | None) -> Function | None:
    """The function of the project that is surely called: by its name, or as a method of the object that the code belongs to."""
    asked = call.func if isinstance(call, ast.Call) else None
    if isinstance(asked, ast.Name):
        found = reader.frame.lookup(asked.id)
        return found if isinstance(found, Function) else None
    if not isinstance(asked, ast.Attribute) or not isinstance(asked.value, ast.Name):
        return None
    this = reader.frame.receiver
    if not isinstance(this, Instance) or this is not reader.frame.lookup(asked.value.id) or this.cls is None or asked.attr in this.attributes:
        return None
    method = classes.class_lookup(reader, this.cls, asked.attr)
    return method if isinstance(method, Function) else None
