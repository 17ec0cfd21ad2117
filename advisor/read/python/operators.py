"""Operators: arithmetic, comparison and boolean logic on known and unknown values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Flow, Hyperparameter
from advisor.model.record import replace
from advisor.model.source import Known, Passes, number
from advisor.read.frameworks import table
from advisor.read.python import multiplied, operands, pairs, texts
from advisor.read.python.checkpoints import part_of
from advisor.read.python.values import (
    Arguments,
    Constant,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    mapping,
    members,
    sequence,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


LONGEST_TEXT = 10_000  # characters of a computed string
WIDE = pattern(r"\d{5}")  # a field of a template that would fill a longer one


LARGEST_NUMBER = 2**256  # beyond it a computed integer is not kept


_BINARY: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.MatMult: ("@", operator.matmul),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
    ast.LShift: ("<<", operator.lshift),
    ast.RShift: (">>", operator.rshift),
}

NUMBERS = frozenset({"int", "float"})
SPECIAL = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "&": "and", "|": "or"}  # methods by which objects of libraries answer operators


def tensor_table(name: str) -> Any:
    """The handler of a kind of operation on tensors, None when no table has it."""
    return table.TENSORS.get(name)


def eval_binary(reader: Reader, node: ast.BinOp) -> Value:
    """left op right"""
    return binary(reader, node.op, reader.evaluate(node.left), reader.evaluate(node.right), node)


def binary(reader: Reader, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """left op right"""
    if isinstance(left, Union) or isinstance(right, Union):
        sides = [(a, b) for a in members(left) for b in members(right)]
        reader.refusals.guarded += 1  # which of them it is, is not known
        found = [binary(reader, op, a, b, node) for a, b in sides[:6]]
        reader.refusals.guarded -= 1
        return join(found + ([Opaque("one of many values")] if len(sides) > 6 else []))
    symbol, compute = _BINARY[type(op)]
    if symbol == "+" and type_of(left) != type_of(right):
        operands.judge(reader, left, right, node)
    if isinstance(left, Sequence) != isinstance(right, Sequence):
        pairs.judge_operator(reader, left, right, node)
    if symbol != "%" or type_of(left) in NUMBERS:  # else it fills in a text
        reckon(reader, left, right)
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _fold(symbol, compute, left, right, reader, node)
    if flows(left) or flows(right):
        handled = tensor_table("binary")
        if handled is not None:
            result = handled(reader, symbol, left, right, node)
            if result is not None:
                return result  # type: ignore[no-any-return]
        return mixed(left, right)
    if symbol == "+" and isinstance(left, Sequence) and isinstance(right, Sequence):
        return sequence([*left.items, *right.items], left.kind, left.exact and right.exact)
    if symbol == "*" and isinstance(left, Sequence) and isinstance(right, Constant) and isinstance(right.value, int) and 0 <= right.value <= 64:
        if right.value > 1:
            multiplied.note(reader, node, left)
        return sequence(list(left.items) * right.value, left.kind, left.exact)
    if symbol == "*" and isinstance(left, Sequence):
        return sequence(list(left.items), left.kind, exact=False)
    if symbol == "|" and isinstance(left, Mapping) and isinstance(right, Mapping):
        return mapping({**left.items, **right.items}, left.exact and right.exact)
    if symbol == "%" and isinstance(left, Constant) and isinstance(left.value, str):
        return Opaque("a formatted text", "str", head=texts.filled_in(left.value, right), alike=texts.alike(*texts.pieces(right)))
    if symbol == "+" and (isinstance(left, Sequence) or isinstance(right, Sequence)):
        known_part = left if isinstance(left, Sequence) else right
        assert isinstance(known_part, Sequence)
        return sequence(list(known_part.items), known_part.kind, exact=False)
    special = SPECIAL.get(symbol)
    for owner, other, name in ((left, right, f"__{special}__"), (right, left, f"__r{special}__")) if special is not None else ():
        if isinstance(owner, Instance):
            handler = table.find_method(owner, name)
            if handler is not None:
                result = handler(table.LibraryCall(reader, f"{owner.kind}.{name}", Arguments([other]), node, owner))
                if result is not None:
                    return result
    kinds = {type_of(left), type_of(right)}
    result_type = None
    if kinds == {"bool"} and symbol in ("&", "|", "^"):
        result_type = "bool"
    elif kinds <= {"int", "float", "bool"}:
        result_type = "float" if symbol == "/" or "float" in kinds else "int"
    elif "str" in kinds and symbol == "+":
        result_type = "str"
    low = high = None
    if symbol == "%" and isinstance(right, Constant) and isinstance(right.value, int) and right.value > 0:
        low, high = 0, right.value - 1
    unknown = left if isinstance(left, Opaque) else right
    why = unknown.why if isinstance(unknown, Opaque) else f"a computed value ({reader.text(node)})"[:120]
    head = texts.joined([left, right]) if symbol == "+" else ""
    part = part_of(left) or part_of(right)
    passes, filled = _passes(symbol, left, right), _filled(symbol, left, right)
    replicas, alike = _replicas(symbol, left, right), texts.alike(left, right)
    return Opaque(why, result_type, low, high, replicas=replicas, passes=passes, head=head, part=part, filled=filled, alike=alike)


def reckon(reader: Reader, *values: Value) -> None:
    """The program calculates with these: options among them are meant as numbers."""
    for value in values:
        if isinstance(value, Constant) and value.weak and value.origin:
            for option in options_of(reader, value):
                option.reckoned = True


def options_of(reader: Reader, value: Constant) -> Iterator[Hyperparameter]:
    """The options that nothing converts and whose default a value is, or comes from."""
    spots = {(link.file, link.line) for link in value.origin}
    for option in reader.recipe.hyperparameters:
        if option.as_text and option.at is not None and (option.at.file, option.at.line) in spots:
            yield option


def _replicas(symbol: str, left: Value, right: Value) -> int:
    """How many times the number of processes is a factor of a product or quotient."""
    before, after = getattr(left, "replicas", 0), getattr(right, "replicas", 0)
    return before + after if symbol == "*" else before - after if symbol in ("/", "//") else 0


def _passes(symbol: str, left: Value, right: Value) -> Passes | None:
    """A number of batches stays one when it is multiplied or divided by a known number."""
    held = left.passes if isinstance(left, Opaque) else right.passes if isinstance(right, Opaque) and symbol == "*" else None
    other = right if isinstance(left, Opaque) else left
    if held is None or not isinstance(other, Constant):
        return None
    if symbol in ("+", "-"):
        return held if other.value in (-1, 0, 1) and isinstance(left, Opaque) else None  # one batch more or less
    if symbol not in ("*", "/", "//"):
        return None
    before, factor = number(held.times), number(setting(other))
    if before is None or not factor or factor < 0:
        return None
    origin = (*held.times.origin, *(link for link in other.origin if link not in held.times.origin))[:6]
    times = before * factor if symbol == "*" else before / factor
    return Passes(held.of, Known(times, origin, weak=held.times.weak or other.weak, place=other.place))


def _filled(symbol: str, left: Value, right: Value) -> Passes | None:
    """A known number of steps divided by the number of those in a pass over the data; a pass more or less is left aside."""
    if symbol in ("+", "-") and isinstance(left, Opaque) and isinstance(right, Constant) and right.value in (0, 1):
        return left.filled
    if symbol not in ("/", "//") or not isinstance(left, Constant) or not isinstance(right, Opaque) or right.passes is None:
        return None
    steps, each = number(setting(left)), number(right.passes.times)
    known = Known(steps / each, left.origin, weak=left.weak or right.passes.times.weak, place=left.place) if steps and each else None
    return Passes(right.passes.of, known) if known is not None else None


def _fold(symbol: str, compute: Callable[[Any, Any], Any], left: Constant, right: Constant, reader: Reader, node: ast.AST) -> Value:
    a, b = left.value, right.value
    try:
        if symbol == "**" and (abs(b) > 512 or abs(a) > 1e6):
            return Opaque("a very large number", type(a).__name__)
        if symbol == "<<" and b > 256:
            return Opaque("a very large number", "int")
        if symbol == "%" and isinstance(a, (str, bytes)) and WIDE.search(str(a)):
            return Opaque("a very long text", "str")
        if symbol == "*" and (isinstance(a, (str, bytes)) or isinstance(b, (str, bytes))):
            text, count = (a, b) if isinstance(a, (str, bytes)) else (b, a)
            if len(text) * count > LONGEST_TEXT:
                return Opaque("a very long text", "str")
        value = compute(a, b)
    except Exception:
        return Opaque(f"`{reader.text(node)}` cannot be computed")
    if isinstance(value, (str, bytes)) and len(value) > LONGEST_TEXT:
        return Opaque("a very long text", "str")
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return Opaque("a very large number", "int")
    if isinstance(value, complex):
        return Opaque("a complex number")
    origin = (*left.origin, *(link for link in right.origin if link not in left.origin))[:6]
    return Constant(value, origin, left.weak or right.weak, reader.place(node))


def flows(value: Value) -> bool:
    """True for what carries a flow: tensors, weights, results of unread calls on tensors."""
    return isinstance(value, Tensor) or (isinstance(value, Opaque) and value.flow is not None) or isinstance(value, Weights)


def mixed(left: Value, right: Value) -> Value:
    """What an operation gives when one side is a tensor: its flow, without an activation."""
    flow = getattr(left, "flow", None) or getattr(right, "flow", None)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return Tensor(replace(flow, activation=None) if flow is not None else Flow())
    return Opaque("a computed value", flow=flow)


def type_of(value: Value) -> str | None:
    """The name of the type of a value, where it is known."""
    if isinstance(value, Constant):
        return type(value.value).__name__
    return value.type if isinstance(value, Opaque) else None


def eval_unary(reader: Reader, node: ast.UnaryOp) -> Value:
    """op operand"""
    value = reader.evaluate(node.operand)
    if isinstance(node.op, ast.Not):
        truth = reader.truth(value)
        if truth is None:
            return Opaque(value.why if isinstance(value, Opaque) else "not known", "bool")
        strong = reader.strong_truth(value)
        return Constant(not truth, weak=strong is None)
    if isinstance(value, Union):
        return join([unary(reader, node, member) for member in value.members], value.when)
    return unary(reader, node, value)


def unary(reader: Reader, node: ast.UnaryOp, value: Value) -> Value:
    """-x, +x, ~x"""
    if isinstance(value, Constant):
        try:
            result = -value.value if isinstance(node.op, ast.USub) else +value.value if isinstance(node.op, ast.UAdd) else ~value.value
            return Constant(result, value.origin, value.weak, reader.place(node))
        except Exception:
            return Opaque("a computed value")
    if isinstance(value, Tensor):
        handled = tensor_table("unary")
        if handled is not None:
            result = handled(reader, {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[type(node.op)], value, node)
            if result is not None:
                return result  # type: ignore[no-any-return]
        return Tensor(replace(value.flow, activation=None))
    if isinstance(value, Opaque):
        turned = tensor_table("turned")
        negated = isinstance(node.op, ast.USub) and value.flow is not None and turned is not None
        return replace(value, low=None, high=None, flow=replace(value.flow, **turned(value.flow)) if negated else value.flow)
    handler = table.find_method(value, "__invert__") if isinstance(value, Instance) and isinstance(node.op, ast.Invert) else None
    answer = handler(table.LibraryCall(reader, f"{value.kind}.__invert__", Arguments(), node, value)) if handler is not None else None  # type: ignore[attr-defined]
    return answer or Opaque("a computed value")


def eval_boolean(reader: Reader, node: ast.BoolOp) -> Value:
    """a and b, a or b: what cannot be decided is one of the operands."""
    is_and = isinstance(node.op, ast.And)
    possible: list[Value] = []
    for part in node.values:
        value = reader.evaluate(part)
        strong = reader.strong_truth(value)
        if strong is None:
            weak = reader.truth(value)
            if weak is not None and weak != is_and:
                possible.insert(0, value)
            else:
                possible.append(value)
            continue
        if strong != is_and:
            if is_and and all(isinstance(held, (Constant, Opaque)) for held in possible):
                return value  # whichever of them is the answer, it does not hold
            possible.append(value)
            return join(possible)
        last = value
        if part is node.values[-1]:
            possible.append(last)
    if not possible:
        return last
    truths = [reader.truth(value) for value in possible]
    if all(isinstance(value, (Constant, Opaque)) for value in possible) and None in truths:
        if is_and and any(t is False for t in truths):
            return Constant(False, weak=True)
        if not is_and and any(t is True for t in truths):
            return next(v for v, t in zip(possible, truths) if t is True)
        first = next(v for v in possible if isinstance(v, Opaque))
        if len(possible) == 1 or all(type_of(v) == "bool" for v in possible):
            return first
    return join(possible)
