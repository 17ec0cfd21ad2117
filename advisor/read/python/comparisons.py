"""Comparisons: what is known of both sides decides, what a measurement is compared with is kept."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.python import operators, subscripts
from advisor.read.python.values import (
    Class,
    Constant,
    Function,
    Library,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    content,
    members,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


ORDERING = frozenset({"<", "<=", ">", ">="})

COMPARE: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
    ast.In: ("in", lambda a, b: a in b),
    ast.NotIn: ("not in", lambda a, b: a not in b),
}


def eval_compare(reader: Reader, node: ast.Compare) -> Value:
    """left op right, chained"""
    left = reader.evaluate(node.left)
    result: Value = Constant(True)
    for op, comparator in zip(node.ops, node.comparators):
        right = reader.evaluate(comparator)
        one = _compare(reader, op, left, right, node)
        if len(node.ops) == 1:
            return one
        if reader.strong_truth(one) is False:
            return one
        if isinstance(one, Opaque) or reader.strong_truth(one) is None:
            result = one
        left = right
    return result


def _compare(reader: Reader, op: ast.cmpop, left: Value, right: Value, node: ast.AST) -> Value:
    if isinstance(left, Union) or isinstance(right, Union):
        pairs = [(a, b) for a in members(left) for b in members(right)][:8]
        results = [_compare(reader, op, a, b, node) for a, b in pairs]
        truths = {reader.truth(r) for r in results}
        if len(truths) == 1 and None not in truths:
            return results[0] if all(reader.strong_truth(r) is not None for r in results) else Constant(truths.pop(), weak=True)
        head = reader.truth(results[0])
        return Opaque("it depends on a flag", "bool") if head is None else Constant(head, weak=True)
    symbol, compute = COMPARE[type(op)]
    if symbol in ORDERING or (symbol in ("==", "!=") and {operators.type_of(left), operators.type_of(right)} <= operators.NUMBERS):
        operators.reckon(reader, left, right)
    if symbol in ("is", "is not"):
        none_left = isinstance(left, Constant) and left.value is None
        none_right = isinstance(right, Constant) and right.value is None
        if none_left and none_right:
            return Constant(symbol == "is", weak=getattr(left, "weak", False) or getattr(right, "weak", False))
        if none_right or none_left:
            other = left if none_right else right
            if isinstance(other, Opaque):
                return Opaque(other.why, "bool")
            open_yet = isinstance(other, Weights) and other.of_grad  # a gradient is there after a backward alone
            return Constant(symbol == "is not", weak=open_yet or (isinstance(other, Constant) and other.weak))
    if (settled := _settled(left, right, compute)) is not None:
        return Constant(settled)
    if isinstance(left, Constant) and isinstance(right, Constant):
        try:
            return Constant(bool(compute(left.value, right.value)), weak=left.weak or right.weak)
        except Exception:
            return Opaque("a comparison", "bool")
    if symbol in ("==", "!=") and any(isinstance(a, (Mapping, Sequence)) and isinstance(b, Constant) for a, b in ((left, right), (right, left))):
        return Constant(symbol == "!=")  # a container never equals a text, a number or None
    if isinstance(left, (Library, Class, Function)) and symbol in ("==", "!=", "is", "is not"):
        same = _same_type(left, right)
        if same is None and isinstance(left, Library) and isinstance(right, Library):
            same = False
        if same is not None:
            return Constant(same == (symbol in ("==", "is")))
    if isinstance(left, (Library, Class, Function)) and symbol in ("in", "not in") and isinstance(right, Sequence):
        answers = [_same_type(left, item) for item in right.items]
        if True in answers or (right.exact and None not in answers):
            return Constant((True in answers) == (symbol == "in"))
    if symbol in ("in", "not in"):
        right = content(right)
        if getattr(left, "choices", ()) and isinstance(right, (Sequence, Mapping)):
            group = [item.value for item in reader.items(right) or () if isinstance(item, Constant) and not item.weak]
            settled = _settled(left, Constant(group), compute) if right.exact and len(group) == len(right.items) else None
            if settled is not None:
                return Constant(settled)
        if isinstance(left, Constant) and isinstance(right, (Sequence, Mapping)) and subscripts.hashable(left.value):
            if isinstance(right, Mapping):
                present: bool | None = True if left.value in right.items else (False if right.exact else None)
            else:
                known = [item.value for item in right.items if isinstance(item, Constant)]
                present = True if left.value in known else (False if right.exact and len(known) == len(right.items) else None)
            if present is not None:
                weak = left.weak or any(isinstance(i, Constant) and i.weak for i in (right.items if isinstance(right, Sequence) else ()))
                return Constant(present == (symbol == "in"), weak=weak)
        return Opaque("a membership test", "bool")
    if isinstance(left, Opaque) and isinstance(right, Constant) and left.low is not None and isinstance(right.value, (int, float)):
        if symbol in ("<", "<=") and left.high is not None and compute(left.high, right.value):
            return Constant(True)
        if symbol in (">", ">=") and left.low is not None and compute(left.low, right.value):
            return Constant(True)
    tensor = left if isinstance(left, Tensor) else right if isinstance(right, Tensor) else None
    if tensor is not None:
        flow, bound = tensor.flow, right if tensor is left else left
        if isinstance(bound, Constant) and isinstance(bound.value, (int, float)):
            reader.recipe.thresholds.append((reader.place(node), flow, setting(bound)))
        agreement = operators.tensor_table("agreement")
        measured = agreement(left, right) if symbol == "==" and agreement is not None else {}
        if measured:
            given = next(side.flow for side in (left, right) if isinstance(side, Tensor) and side.flow.modules)
            reader.emit(Kind.METRIC, node, None, name="accuracy", flow=given)
        graph: Any = "cut" if flow.graph == "kept" else flow.graph
        ended = {"graph": graph, "cut_by": "a comparison", "losses": (), "dtype": "bool", "one_hot": False, "counted": None}
        runs = operators.tensor_table("labels-each")
        ended["per"] = "class" if symbol == "==" and runs is not None and (runs(left) or runs(right)) else None
        shape = operators.tensor_table("compared")
        return Tensor(replace(flow, activation="comparison", **{**ended, **(shape(left, right, flow) if shape is not None else {}), **measured}))
    why = left.why if isinstance(left, Opaque) else right.why if isinstance(right, Opaque) else "a comparison"
    return Opaque(why, "bool")


def _choices(value: Value) -> tuple[Any, ...]:
    """What a value can be, where that is known."""
    if isinstance(value, Constant) and not value.weak:
        return (value.value,)
    return value.choices if isinstance(value, (Constant, Opaque)) else ()


def _settled(left: Value, right: Value, compute: Callable[[Any, Any], Any]) -> bool | None:
    """What a comparison gives whichever choice is taken; None where that hangs on it, or no choices are known."""
    if not getattr(left, "choices", ()) and not getattr(right, "choices", ()):
        return None
    try:
        answers = {bool(compute(one, other)) for one in _choices(left) for other in _choices(right)}
    except TypeError:
        return None
    return answers.pop() if len(answers) == 1 else None


def _same_type(left: Library | Class | Function, right: Value) -> bool | None:
    """Whether two names of a class, a function or something in a library mean the same: what Python brings and what the project defines has no second
    name."""
    if isinstance(left, Function) and isinstance(right, Function):
        return True if left is right else None
    if isinstance(left, Function) or isinstance(right, Function):
        other = right if isinstance(left, Function) else left
        return False if isinstance(other, (Class, Constant)) or (isinstance(other, Library) and other.name.startswith("builtins.")) else None
    if isinstance(left, Class) and isinstance(right, Class):
        return left.node is right.node
    if isinstance(left, Library) and isinstance(right, Library) and left.name == right.name:
        return True
    if isinstance(left, Class) != isinstance(right, Class) and all(isinstance(one, Class) or _is_described(one) for one in (left, right)):
        return False
    known = [isinstance(one, Class) or (isinstance(one, Library) and one.name.startswith("builtins.")) for one in (left, right)]
    return False if all(known) else None


def _is_described(value: Value) -> bool:
    """True for something in a library that is none of the project's own: no class of the project is it."""
    return isinstance(value, Library) and table.described(value.name.partition(".")[0])
