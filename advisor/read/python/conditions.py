"""Conditions: what a branch asks, told without evaluating anything again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model.events import Condition
from advisor.model.record import dataclass, replace
from advisor.model.source import ON_DISK, Setting, Unknown, parts_of
from advisor.read.python import attributes, classes, comparisons, expressions, operators, scopes, subscripts
from advisor.read.python.frames import library_name
from advisor.read.python.values import (
    Class,
    Constant,
    Instance,
    Library,
    Mapping,
    Module,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
    members,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


@dataclass(slots=True, eq=False)
class Test:
    """What a branch asks: its text at once, the whole only where something came of an arm. What the arms wrote is undone by then."""

    reader: Reader
    node: ast.AST
    value: Value
    text: str

    def condition(self) -> Condition:
        """The whole."""
        return condition(self.reader, self.node, self.value)


def test(reader: Reader, node: ast.expr, value: Value) -> Test:
    """What a branch asks that is about to be taken."""
    inner, held = node, value
    while isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
        inner = inner.operand
        held = _quiet(reader, inner)
    compares = isinstance(inner, ast.BoolOp) or (isinstance(inner, ast.Compare) and len(inner.ops) == 1)
    _, asked = (held, None) if compares else reader.asked.get(id(held), (held, None))
    return Test(reader, node, value, asked.text if asked is not None else reader.text(inner))


def condition(reader: Reader, node: ast.AST, value: Value) -> Condition:
    """The comparison that a test makes, for the checks that ask what a branch depends on."""
    text = reader.text(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        called = isinstance(node.operand, ast.Call) and isinstance(value, Opaque) and value.why == ON_DISK
        inner = condition(reader, node.operand, value if called else _quiet(reader, node.operand))
        inner.negated = not inner.negated
        return inner
    key = _condition_key(reader, node, value)
    found = Condition(text, key, operator="truth")
    if isinstance(node, ast.BoolOp):
        parts = tuple(condition(reader, part, _quiet(reader, part)) for part in node.values)
        if isinstance(node.op, ast.And):
            found.conjuncts = parts
        else:
            found.disjuncts = parts
        found.operator = "and" if isinstance(node.op, ast.And) else "or"
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = _quiet(reader, node.left), _quiet(reader, node.comparators[0])
        found.operator = comparisons.COMPARE[type(node.ops[0])][0]
        found.left, found.right = setting(left), setting(right)
        found.variable, found.right_variable = reader.variable(_inner(node.left)), reader.variable(_inner(node.comparators[0]))
        found.left_flow, found.right_flow = getattr(left, "flow", None), getattr(right, "flow", None)
        found.margin = _margin(reader, node)
        found.difference = any(_is_difference(reader, side) for side in (node.left, node.comparators[0]))
        found.beyond_itself = _is_beyond_itself(reader, node)
        if found.operator in (">", ">="):
            found.since = _since(reader, node.left)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Mod):
            found.modulo = setting(_quiet(reader, node.left.right))
            found.modulo_of = reader.text(node.left.left)
            counter = _quiet(reader, node.left.left)
            found.counts_from = int(counter.low) if isinstance(counter, Opaque) and counter.low is not None else None
    else:
        found.variable = reader.variable(node)
        found.left = setting(value)
        found.left_flow = getattr(value, "flow", None)
        value, asked = reader.asked.get(id(value), (value, None))
        if asked is not None:
            return replace(asked, key=key)
    return found


def begins(condition: Condition) -> Setting | None:
    """How often `while epoch < epochs` turns, or `if epoch < start: continue` lets through, as far as it is known: where a side may come from a
    checkpoint, by which one."""
    for part in (condition, *condition.conjuncts):
        if (read := parts_of(part.left) or parts_of(part.right)) and part.operator in ("<", "<=", ">", ">=", "!="):
            return Unknown("a run that is resumed starts later", part=read[0])
    return None


def remember(reader: Reader, node: ast.AST, value: Value) -> None:
    """`is_best = score > best`: whoever asks for the answer later, maybe under another name, asks this of a metric."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(value, (Opaque, Tensor)):
        return
    asked = condition(reader, node, value)
    names = asked.variable is not None and asked.right_variable is not None  # of which it is not known what they measure
    if asked.operator in ("<", ">", "<=", ">=") and (asked.left_flow or asked.right_flow or names) and asked.modulo is None and asked.since is None:
        reader.asked[id(value)] = value, replace(asked, asked_at=reader.place(node))


def _since(reader: Reader, node: ast.AST) -> Any:
    """What a distance is counted from: `epoch - best_epoch`, or a name that the function gives to such a difference."""
    if isinstance(node, ast.Name) and reader.active:
        node = scopes.differences(reader.active[-1]).get(node.id, node)
    return reader.variable(node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else None


def _is_beyond_itself(reader: Reader, node: ast.Compare) -> bool:
    """`losses[-1] < min(losses)`, either way round: the last is one of those that the least is sought among."""
    left, right, below = node.left, node.comparators[0], isinstance(node.ops[0], ast.Lt)
    if not isinstance(node.ops[0], (ast.Lt, ast.Gt)):
        return False
    for last, whole, extreme in ((left, right, "min" if below else "max"), (right, left, "max" if below else "min")):
        if not isinstance(last, ast.Subscript) or _literal(last.slice) != -1 or not isinstance(whole, ast.Call):
            continue
        held = variable(reader, last.value) if len(whole.args) == 1 and not whole.keywords else None
        if held is not None and held == variable(reader, whole.args[0]):
            return library_name(reader.frame, whole.func) in (f"builtins.{extreme}", f"numpy.{extreme}")
    return False


def _is_difference(reader: Reader, node: ast.AST) -> bool:
    """a - b, where neither is a constant."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
        return False
    return not any(isinstance(_quiet(reader, side), Constant) for side in (node.left, node.right))


def _margin(reader: Reader, node: ast.Compare) -> Setting | None:
    """The constant that stands beside one side of a comparison: `loss < best - 0.01`."""
    for side in (node.left, node.comparators[0]):
        if isinstance(side, ast.BinOp) and isinstance(side.op, (ast.Add, ast.Sub)):
            value = _quiet(reader, side.right)
            if isinstance(value, Constant) and isinstance(value.value, (int, float)):
                return setting(value)
    return None


def _inner(node: ast.AST) -> ast.AST:
    """The name behind a small expression: `x - delta`, `x.item()`, `float(x)`, `len(x)`."""
    if isinstance(node, ast.BinOp):
        return _inner(node.left) if not isinstance(node.left, ast.Constant) else _inner(node.right)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("item", "mean"):
            return node.func.value
        if len(node.args) == 1:
            return node.args[0]
    return node


def _quiet(reader: Reader, node: ast.AST) -> Value:
    """The value of a simple expression without events: names, attributes, constants, arithmetic; else unknown."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)):
        value = peek(reader, node)
        return value if value is not None else Opaque("not read")
    if isinstance(node, ast.BinOp):
        left, right = _quiet(reader, node.left), _quiet(reader, node.right)
        if isinstance(left, (Constant, Opaque)) and isinstance(right, (Constant, Opaque)):
            return operators.binary(reader, node.op, left, right, node)
        return operators.mixed(left, right) if operators.flows(left) or operators.flows(right) else Opaque("a computed value")
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return operators.unary(reader, node, _quiet(reader, node.operand))
    if isinstance(node, ast.Call):
        if _asks_disk(reader, node.func):
            return Opaque(ON_DISK, "bool")
        target = _inner(node)
        inner = _quiet(reader, target) if target is not node else Opaque("not read")
        if isinstance(inner, (Tensor, Opaque)) and inner.flow is not None:
            return Opaque("a number taken from a tensor", "float", flow=inner.flow)
    return Opaque("not read")


def _asks_disk(reader: Reader, called: ast.expr) -> bool:
    """os.path.exists, or the method of a path: whether a file is there."""
    if not isinstance(called, ast.Attribute) or called.attr not in ("exists", "isfile", "isdir", "is_file", "is_dir"):
        return False
    owner: ast.expr = called.value
    if isinstance(owner, ast.Attribute) and owner.attr == "path" and isinstance(owner.value, ast.Name):
        found = reader.frame.lookup(owner.value.id)
        return isinstance(found, Library) and found.name == "os"
    held = peek(reader, owner)
    return (isinstance(held, Library) and held.name == "os.path") or (isinstance(held, Instance) and held.role == "path")


def variable(reader: Reader, node: ast.AST) -> Any:
    """The identity of the name or attribute that an expression reads; None for anything else."""
    if isinstance(node, ast.Name):
        home = reader.frame.home(node.id)
        if node.id not in home:
            frame = reader.frame.parent
            while frame is not None and node.id not in frame.names:
                frame = frame.parent
            home = frame.names if frame is not None else reader.frame.module.namespace
        reader.keep.append(home)
        return (id(home), node.id)
    if isinstance(node, ast.Attribute):
        owner = peek(reader, node.value)
        if isinstance(owner, Instance):
            reader.keep.append(owner)
            return (id(owner.attributes), node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        owner = _dict(peek(reader, node.value))
        if owner is not None:
            reader.keep.append(owner)
            return (id(owner.state), node.slice.value)
    return None


def peek(reader: Reader, node: ast.AST) -> Value | None:
    """The value of a name or attribute chain, read without any effect."""
    if isinstance(node, ast.Name):
        return reader.frame.lookup(node.id)
    if isinstance(node, ast.Constant):
        return expressions.eval_constant(reader, node)
    if isinstance(node, ast.Attribute):
        owner = peek(reader, node.value)
        if isinstance(owner, Instance):
            held = owner.attributes.get(node.attr)
            if held is None and owner.cls is not None and isinstance(of_class := classes.class_lookup(reader, owner.cls, node.attr), Constant):
                held = of_class
            return attributes.as_seen(reader, owner, node.attr, held) if held is not None else None
        if isinstance(owner, Module):
            return owner.namespace.get(node.attr)
        if isinstance(owner, Class):
            of_class = classes.class_lookup(reader, owner, node.attr)
            return of_class if isinstance(of_class, Constant) else None
        if isinstance(owner, Union):
            found = [peek_member for m in owner.members if isinstance(m, Instance) and (peek_member := m.attributes.get(node.attr)) is not None]
            return join(found) if found else None
        if isinstance(owner, Mapping):
            return owner.items.get(node.attr)
        if isinstance(owner, Opaque) and id(owner) in reader.store.parts:
            return reader.store.parts_of(owner).get(node.attr)
        return None
    if isinstance(node, ast.Subscript):
        index = _literal(node.slice)
        owner = peek(reader, node.value) if index is not None else None
        if (held := _dict(owner)) is not None:
            return held.items.get(index)
        if isinstance(owner, Sequence) and isinstance(index, int):
            return subscripts.subscript(reader, owner, Constant(index), node)
    return None


def _dict(value: Value | None) -> Mapping | None:
    """The dict that a value is; of alternatives, one of which was loaded say, the one that was written here."""
    return next((one for one in members(value) if isinstance(one, Mapping)), None) if value is not None else None


def _literal(node: ast.AST) -> Any:
    """The key or position that an index is written as, -1 among them."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if isinstance(node.operand.value, int) else None
    return node.value if isinstance(node, ast.Constant) else None


def _condition_key(reader: Reader, node: ast.AST, value: Value) -> str:
    """Equal for two tests that ask the same of the same values."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _value_key(reader, node, value)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = node.left, node.comparators[0]
        parts = [_value_key(reader, side, _quiet(reader, side)) for side in (left, right)]
        return f"{parts[0]}{comparisons.COMPARE[type(node.ops[0])][0]}{parts[1]}"
    return f"{id(reader.frame.names)}:{' '.join(reader.text(node).split())}"


def _value_key(reader: Reader, node: ast.AST, value: Value) -> str:
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(value, Constant):
        if value.weak and value.origin:
            link = value.origin[-1]
            return f"{link.file}:{link.line}:{link.text}"
        return repr(value.value)
    if isinstance(value, Opaque) and isinstance(node, (ast.Name, ast.Attribute)):
        reader.keep.append(value)
        return f"#{id(value)}"
    if isinstance(node, ast.BinOp):
        left, right = _value_key(reader, node.left, _quiet(reader, node.left)), _value_key(reader, node.right, _quiet(reader, node.right))
        return f"({left}{type(node.op).__name__}{right})"
    return f"{id(reader.frame.names)}:{' '.join(reader.text(node).split())}"
