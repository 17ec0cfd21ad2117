"""Expressions: what each kind evaluates to."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Condition, Kind
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Link, Setting
from advisor.read.frameworks import table
from advisor.read.python import calls
from advisor.read.python.frames import Frame
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Function,
    Generator,
    Instance,
    Library,
    Mapping,
    Module,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    content,
    join,
    mapping,
    members,
    sequence,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

LONGEST_TEXT = 10_000  # characters of a computed string
LARGEST_NUMBER = 2**256  # beyond it a computed integer is not kept

BUILTINS = frozenset(dir(builtins))


def eval_constant(reader: Reader, node: ast.Constant) -> Value:
    """A literal."""
    module = reader.frame.module
    found = module.literals.get(node)
    if found is None:
        found = module.literals[node] = Constant(node.value, place=module.place(node))
    return found


def eval_name(reader: Reader, node: ast.Name) -> Value:
    """A name: local, enclosing, global, builtin, or from a star import."""
    value = reader.frame.lookup(node.id)
    if value is not None:
        if isinstance(value, Constant) and value.place is not None and value.value is not None:
            return _linked(reader, value, node, node.id)
        return value
    if node.id in BUILTINS:
        return Library(f"builtins.{node.id}")
    star = reader.frame.module.namespace.get("*")
    if isinstance(star, Library):
        name = table.canonical(f"{star.name}.{node.id}")
        if table.find_function(name) is not None:
            return Library(name)
        return Opaque(f"`{node.id}` may come from `{star.name}`")
    return Opaque(f"`{node.id}` is not bound here")


def _linked(reader: Reader, value: Constant, node: ast.AST, text: str) -> Constant:
    """A constant read through a name: the name's definition becomes a link of its chain."""
    place = value.place
    assert place is not None
    if place.file == reader.frame.module.display and place.line == getattr(node, "lineno", 0):
        return value
    if value.origin and value.origin[0].line == place.line and value.origin[0].file == place.file:
        return value
    if len(value.origin) >= 6:
        return value
    line = _line(reader, place.file, place.line)
    if not line:
        return value
    return Constant(value.value, (Link(place.file, place.line, line), *value.origin), value.weak, value.place, value.default)


def _line(reader: Reader, file: str, line: int) -> str:
    module = reader.frame.module
    if module.display == file and module.cells is None and 0 < line <= len(module.lines):
        return module.lines[line - 1].strip()[:120]
    text = reader.project.texts.get(file)
    if text is not None:
        lines = reader.project.lines(file)
        if 0 < line <= len(lines):
            return lines[line - 1].strip()[:120]
    return ""


def eval_attribute(reader: Reader, node: ast.Attribute) -> Value:
    """owner.name"""
    owner = reader.evaluate(node.value)
    value = reader.attribute(owner, node.attr, node)
    if isinstance(value, Constant) and value.place is not None and value.value is not None and not isinstance(owner, Constant):
        return _linked(reader, value, node, node.attr)
    return value


def eval_subscript(reader: Reader, node: ast.Subscript) -> Value:
    """owner[index]"""
    owner = reader.evaluate(node.value)
    index = reader.evaluate(node.slice)
    value = subscript(reader, owner, index, node)
    if isinstance(value, Constant) and value.place is not None and not isinstance(owner, Constant):
        return _linked(reader, value, node, "")
    return value


def eval_slice(reader: Reader, node: ast.Slice) -> Value:
    """a:b:c"""
    parts = [reader.evaluate(p) if p is not None else NONE for p in (node.lower, node.upper, node.step)]
    return sequence(parts, "slice")


def subscript(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value:
    """owner[index]"""
    if isinstance(owner, Union):
        return join([subscript(reader, member, index, node) for member in owner.members], owner.when)
    if isinstance(owner, Opaque):
        return owner if owner.flow is not None else Opaque(f"an item of what could not be read ({owner.why})"[:160])
    if isinstance(index, Union) and isinstance(owner, (Mapping, Sequence)):
        return join([subscript(reader, owner, member, node) for member in index.members], index.when)
    if isinstance(owner, Mapping):
        if isinstance(index, Constant) and _hashable(index.value):
            if index.value in owner.items:
                return owner.items[index.value]
            factory = owner.state.get("default")
            if factory is not None and owner.exact:
                made = reader.call(factory, Arguments(), node)
                reader.store.write(owner.state, "items", {**owner.items, index.value: made})
                return made
            made_of = [value for key, value in owner.items.items() if isinstance(key, str) and key.startswith("<")]
            if made_of:  # a comprehension over keys that are not known: any of them has a value of this kind
                value = join(made_of)
                return subscript(reader, value, index, node) if isinstance(value, Tensor) and value.flow.source is not None else value
            return Opaque(f"key {index.value!r}")
        values = list(owner.items.values())
        if values and owner.exact:
            kinds = {type(v) for v in values}
            if len(values) <= 4 or kinds <= {Library, Class, Function}:
                return join(values)
        return Opaque("a key that is not known")
    if isinstance(owner, Sequence):
        if isinstance(index, Sequence) and index.kind == "slice":
            bounds = [reader.plain(item) for item in index.items]
            if owner.exact and all(b is None or isinstance(b, int) for b in bounds):
                return sequence(list(owner.items)[slice(*bounds)], owner.kind)
            return sequence(list(owner.items), owner.kind, exact=False)
        if isinstance(index, Constant) and isinstance(index.value, int):
            if (owner.exact or index.value >= 0) and -len(owner.items) <= index.value < len(owner.items):
                return owner.items[index.value]
            return Opaque("an item beyond those known")
        return join(list(owner.items)) if owner.items else Opaque("an item of a list")
    if isinstance(owner, Constant):
        if isinstance(index, Constant):
            try:
                return Constant(owner.value[index.value], owner.origin, owner.weak or index.weak)
            except Exception:
                return Opaque("an item of a constant")
        if isinstance(index, Sequence) and isinstance(owner.value, str):
            bounds = [reader.plain(item) for item in index.items]
            if all(b is None or isinstance(b, int) for b in bounds):
                return Constant(owner.value[slice(*bounds)], owner.origin, owner.weak)
        return Opaque("an item of a constant")
    if isinstance(owner, Tensor):
        handled = _tensor_table("subscript")
        if handled is not None:
            result = handled(reader, owner, index, node)
            if result is not None:
                return result  # type: ignore[no-any-return]
        key = index.value if isinstance(index, Constant) and isinstance(index.value, (int, str)) else None
        return Tensor(replace(owner.flow, part=(*owner.flow.part, key) if key is not None and len(owner.flow.part) < 6 else owner.flow.part))
    if isinstance(owner, Instance):
        if owner.cls is not None:
            method = calls.class_lookup(reader, owner.cls, "__getitem__")
            if isinstance(method, Function):
                return calls.call_function(reader, method, Arguments([owner, index]), node, owner)
        handler = table.find_method(owner, "__getitem__")
        if handler is not None:
            result = handler(table.LibraryCall(reader, f"{owner.kind}.__getitem__", Arguments([index]), node, owner))
            if result is not None:
                return result
        if owner.role == "module":
            return _module_item(owner, index)
        return Opaque(f"an item of {owner.kind}")
    if isinstance(owner, Library) and owner.name.endswith(".__dict__") and isinstance(index, Constant) and isinstance(index.value, str):
        return Library(table.canonical(f"{owner.name.removesuffix('.__dict__')}.{index.value}"))  # models.__dict__["resnet18"]
    if isinstance(owner, (Class, Library)):
        return owner  # Generic[T]
    if isinstance(owner, Weights):
        return Weights(owner.parameters, True)
    return Opaque("an item")


def _module_item(owner: Instance, index: Value) -> Value:
    items = owner.data.get("items")
    if isinstance(items, (tuple, list)):
        if isinstance(index, Constant) and isinstance(index.value, int) and -len(items) <= index.value < len(items):
            return items[index.value]  # type: ignore[no-any-return]
        if items and not isinstance(index, Sequence):
            return items[0]  # type: ignore[no-any-return]
        if isinstance(index, Sequence):
            return owner
    if isinstance(items, dict):
        if isinstance(index, Constant) and index.value in items:
            return items[index.value]  # type: ignore[no-any-return]
        if items:
            return join(list(items.values()))
    return Opaque("a part of a module")


def set_item(reader: Reader, owner: Value, index: Value, value: Value, node: ast.AST) -> None:
    """owner[index] = value"""
    if isinstance(owner, Union):
        for member in owner.members:
            set_item(reader, member, index, value, node)
        return
    if isinstance(owner, Mapping):
        if isinstance(owner.state.get("of"), Instance) and isinstance(index, Constant) and isinstance(index.value, str):
            reader.set_attribute(owner.state["of"], index.value, value, node)
        elif isinstance(index, Constant) and _hashable(index.value):
            reader.store.write(owner.state, "items", {**owner.items, index.value: value})
        else:
            reader.store.write(owner.state, "exact", False)
    elif isinstance(owner, Sequence):
        if isinstance(index, Constant) and isinstance(index.value, int) and -len(owner.items) <= index.value < len(owner.items):
            changed = list(owner.items)
            changed[index.value] = value
            reader.store.write(owner.state, "items", tuple(changed))
        else:
            reader.store.write(owner.state, "exact", False)
    elif isinstance(owner, Instance):
        if owner.cls is not None:
            method = calls.class_lookup(reader, owner.cls, "__setitem__")
            if isinstance(method, Function):
                calls.call_function(reader, method, Arguments([owner, index, value]), node, owner)
                return
        handler = table.find_method(owner, "__setitem__")
        if handler is not None:
            handler(table.LibraryCall(reader, f"{owner.kind}.__setitem__", Arguments([index, value]), node, owner))
        elif owner.role == "module":
            items = owner.data.get("items")
            if isinstance(value, Instance) and value.fact is not None and isinstance(index, Constant):
                owner.fact.children[str(index.value)] = value.fact  # type: ignore[union-attr]
                if isinstance(items, (tuple, list)) and isinstance(index.value, int) and -len(items) <= index.value < len(items):
                    parts = list(items)
                    parts[index.value] = value
                    reader.store.write(owner.data, "items", tuple(parts))
    elif isinstance(owner, Weights):
        reader.emit(Kind.GRAD_WRITE, node, owner.parameters, what="grad" if owner.of_grad else "in-place")


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, bytes, type(None), tuple))


# --- operators ---------------------------------------------------------------------------------------------------

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


def _tensor_table(name: str) -> Any:
    return table.TENSORS.get(name)


def eval_binary(reader: Reader, node: ast.BinOp) -> Value:
    """left op right"""
    return binary(reader, node.op, reader.evaluate(node.left), reader.evaluate(node.right), node)


def binary(reader: Reader, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """left op right"""
    if isinstance(left, Union) or isinstance(right, Union):
        pairs = [(a, b) for a in members(left) for b in members(right)]
        return join([binary(reader, op, a, b, node) for a, b in pairs[:6]] + ([Opaque("one of many values")] if len(pairs) > 6 else []))
    symbol, compute = _BINARY[type(op)]
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _fold(symbol, compute, left, right, reader, node)
    if _flows(left) or _flows(right):
        handled = _tensor_table("binary")
        if handled is not None:
            result = handled(reader, symbol, left, right, node)
            if result is not None:
                return result  # type: ignore[no-any-return]
        return _mixed(left, right)
    if symbol == "+" and isinstance(left, Sequence) and isinstance(right, Sequence):
        return sequence([*left.items, *right.items], left.kind, left.exact and right.exact)
    if symbol == "*" and isinstance(left, Sequence) and isinstance(right, Constant) and isinstance(right.value, int) and 0 <= right.value <= 64:
        return sequence(list(left.items) * right.value, left.kind, left.exact)
    if symbol == "*" and isinstance(left, Sequence):
        return sequence(list(left.items), left.kind, exact=False)
    if symbol == "|" and isinstance(left, Mapping) and isinstance(right, Mapping):
        return mapping({**left.items, **right.items}, left.exact and right.exact)
    if symbol == "%" and isinstance(left, Constant) and isinstance(left.value, str):
        return Opaque("a formatted text", "str")
    if symbol == "+" and (isinstance(left, Sequence) or isinstance(right, Sequence)):
        known_part = left if isinstance(left, Sequence) else right
        assert isinstance(known_part, Sequence)
        return sequence(list(known_part.items), known_part.kind, exact=False)
    for owner, other, name in ((left, right, "__truediv__" if symbol == "/" else None),):
        if isinstance(owner, Instance) and name is not None:
            handler = table.find_method(owner, name)
            if handler is not None:
                result = handler(table.LibraryCall(reader, f"{owner.kind}.{name}", Arguments([other]), node, owner))
                if result is not None:
                    return result
    kinds = {_type_of(left), _type_of(right)}
    result_type = None
    if kinds <= {"int", "float", "bool"}:
        result_type = "float" if symbol == "/" or "float" in kinds else "int"
    elif "str" in kinds and symbol == "+":
        result_type = "str"
    low = high = None
    if symbol == "%" and isinstance(right, Constant) and isinstance(right.value, int) and right.value > 0:
        low, high = 0, right.value - 1
    unknown = left if isinstance(left, Opaque) else right
    return Opaque(unknown.why if isinstance(unknown, Opaque) else f"a computed value ({reader.text(node)})"[:120], result_type, low, high)


def _fold(symbol: str, compute: Callable[[Any, Any], Any], left: Constant, right: Constant, reader: Reader, node: ast.AST) -> Value:
    a, b = left.value, right.value
    try:
        if symbol == "**" and (abs(b) > 512 or abs(a) > 1e6):
            return Opaque("a very large number", type(a).__name__)
        if symbol == "<<" and b > 256:
            return Opaque("a very large number", "int")
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


def _flows(value: Value) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Opaque) and value.flow is not None) or isinstance(value, Weights)


def _mixed(left: Value, right: Value) -> Value:
    flow = getattr(left, "flow", None) or getattr(right, "flow", None)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return Tensor(replace(flow, activation=None) if flow is not None else Flow())
    return Opaque("a computed value", flow=flow)


def _type_of(value: Value) -> str | None:
    if isinstance(value, Constant):
        return type(value.value).__name__
    return value.type if isinstance(value, Opaque) else None


def extend_sequence(reader: Reader, old: Sequence, new: Value) -> Value | None:
    """list += other, in place; None when it is not a list."""
    if old.kind != "list":
        return None
    if isinstance(new, Sequence):
        combined = sequence([*old.items, *new.items], "list", old.exact and new.exact and not reader.loop_depth)
        reader.store.write(old.state, "items", combined.items)
        reader.store.write(old.state, "exact", combined.exact)
    else:
        reader.store.write(old.state, "exact", False)
    return old


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
        return join([_unary(reader, node, member) for member in value.members], value.when)
    return _unary(reader, node, value)


def _unary(reader: Reader, node: ast.UnaryOp, value: Value) -> Value:
    if isinstance(value, Constant):
        try:
            result = -value.value if isinstance(node.op, ast.USub) else +value.value if isinstance(node.op, ast.UAdd) else ~value.value
            return Constant(result, value.origin, value.weak, reader.place(node))
        except Exception:
            return Opaque("a computed value")
    if isinstance(value, Tensor):
        handled = _tensor_table("unary")
        if handled is not None:
            result = handled(reader, {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[type(node.op)], value, node)
            if result is not None:
                return result  # type: ignore[no-any-return]
        return Tensor(replace(value.flow, activation=None))
    if isinstance(value, Opaque):
        turned = _tensor_table("turned")
        negated = isinstance(node.op, ast.USub) and value.flow is not None and turned is not None
        return replace(value, low=None, high=None, flow=replace(value.flow, **turned(value.flow)) if negated else value.flow)
    return Opaque("a computed value")


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
        if len(possible) == 1 or all(_type_of(v) == "bool" for v in possible):
            return first
    return join(possible)


_COMPARE: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
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
    symbol, compute = _COMPARE[type(op)]
    if symbol in ("is", "is not"):
        none_left = isinstance(left, Constant) and left.value is None
        none_right = isinstance(right, Constant) and right.value is None
        if none_left and none_right:
            return Constant(symbol == "is", weak=getattr(left, "weak", False) or getattr(right, "weak", False))
        if none_right or none_left:
            other = left if none_right else right
            if isinstance(other, Opaque):
                return Opaque(other.why, "bool")
            return Constant(symbol == "is not", weak=isinstance(other, Constant) and other.weak)
    if isinstance(left, Constant) and isinstance(right, Constant):
        try:
            return Constant(bool(compute(left.value, right.value)), weak=left.weak or right.weak)
        except Exception:
            return Opaque("a comparison", "bool")
    if isinstance(left, Library) and isinstance(right, Library) and symbol in ("==", "!=", "is", "is not"):
        return Constant((left.name == right.name) == (symbol in ("==", "is")))
    if symbol in ("in", "not in"):
        right = content(right)
        if isinstance(left, Constant) and isinstance(right, (Sequence, Mapping)) and _hashable(left.value):
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
        agreement = _tensor_table("agreement")
        measured = agreement(left, right) if symbol == "==" and agreement is not None else {}
        return Tensor(replace(flow, activation="comparison", graph="cut" if flow.graph == "kept" else flow.graph, cut_by="a comparison", losses=(), **measured))
    why = left.why if isinstance(left, Opaque) else right.why if isinstance(right, Opaque) else "a comparison"
    return Opaque(why, "bool")


def condition(reader: Reader, node: ast.AST, value: Value) -> Condition:
    """The comparison that a test makes, for the checks that ask what a branch depends on."""
    text = reader.text(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = condition(reader, node.operand, _quiet(reader, node.operand))
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
        found.operator = _COMPARE[type(node.ops[0])][0]
        found.left, found.right = setting(left), setting(right)
        found.variable, found.right_variable = reader.variable(_inner(node.left)), reader.variable(_inner(node.comparators[0]))
        found.left_flow, found.right_flow = getattr(left, "flow", None), getattr(right, "flow", None)
        found.margin = _margin(reader, node)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Mod):
            found.modulo = setting(_quiet(reader, node.left.right))
            found.modulo_of = reader.text(node.left.left)
            counter = _quiet(reader, node.left.left)
            found.counts_from = int(counter.low) if isinstance(counter, Opaque) and counter.low is not None else None
    else:
        found.variable = reader.variable(node)
        found.left = setting(value)
        found.left_flow = getattr(value, "flow", None)
    return found


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
            return binary(reader, node.op, left, right, node)
        return _mixed(left, right) if _flows(left) or _flows(right) else Opaque("a computed value")
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return _unary(reader, node, _quiet(reader, node.operand))
    if isinstance(node, ast.Call):
        target = _inner(node)
        inner = _quiet(reader, target) if target is not node else Opaque("not read")
        if isinstance(inner, (Tensor, Opaque)) and inner.flow is not None:
            return Opaque("a number taken from a tensor", "float", flow=inner.flow)
    return Opaque("not read")


def peek(reader: Reader, node: ast.AST) -> Value | None:
    """The value of a name or attribute chain, read without any effect."""
    if isinstance(node, ast.Name):
        return reader.frame.lookup(node.id)
    if isinstance(node, ast.Constant):
        return eval_constant(reader, node)
    if isinstance(node, ast.Attribute):
        owner = peek(reader, node.value)
        if isinstance(owner, Instance):
            held = owner.attributes.get(node.attr)
            return calls.as_seen(reader, owner, node.attr, held) if held is not None else None
        if isinstance(owner, Module):
            return owner.namespace.get(node.attr)
        if isinstance(owner, Union):
            found = [peek_member for m in owner.members if isinstance(m, Instance) and (peek_member := m.attributes.get(node.attr)) is not None]
            return join(found) if found else None
        if isinstance(owner, Mapping):
            return owner.items.get(node.attr)
        return None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        owner = peek(reader, node.value)
        if isinstance(owner, Mapping):
            return owner.items.get(node.slice.value)
        if isinstance(owner, Sequence) and isinstance(node.slice.value, int) and -len(owner.items) <= node.slice.value < len(owner.items):
            return owner.items[node.slice.value]
    return None


def _condition_key(reader: Reader, node: ast.AST, value: Value) -> str:
    """Equal for two tests that ask the same of the same values."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _value_key(reader, node, value)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = node.left, node.comparators[0]
        parts = [_value_key(reader, side, _quiet(reader, side)) for side in (left, right)]
        return f"{parts[0]}{_COMPARE[type(node.ops[0])][0]}{parts[1]}"
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


# --- calls and containers ----------------------------------------------------------------------------------------


def eval_call(reader: Reader, node: ast.Call) -> Value:
    """f(...)"""
    return calls.eval_call(reader, node)


def eval_conditional(reader: Reader, node: ast.IfExp) -> Value:
    """a if test else b"""
    test = reader.evaluate(node.test)
    strong = reader.strong_truth(test)
    if strong is not None:
        return reader.evaluate(node.body if strong else node.orelse)
    weak = reader.truth(test)
    arms: list[tuple[str, bool | None, Any]] = [
        ("default" if weak else "unknown", True, lambda: (None, reader.evaluate(node.body))),
        ("default" if weak is False else "unknown", False, lambda: (None, reader.evaluate(node.orelse))),
    ]
    if weak is False:
        arms.reverse()
    if weak is not None:
        arms[1] = ("flag", arms[1][1], arms[1][2])
    serial = reader.serial
    condition_ = reader.condition(node.test, test)
    values = [value for _, value in reader.branch(node, condition_, arms)]
    reader._same_slot(values, serial)
    return join(values, condition_.text)


def eval_list(reader: Reader, node: ast.List | ast.Tuple | ast.Set) -> Value:
    """[...], (...), {...}"""
    items: list[Value] = []
    exact = True
    for element in node.elts:
        if isinstance(element, ast.Starred):
            value = reader.evaluate(element.value)
            inner = reader.items(value)
            if inner is not None:
                items += inner
            elif isinstance(value, Weights):
                items.append(Weights(replace(value.parameters, iterator=False), state=value.state))
                exact = False
            else:
                exact = False
                if isinstance(value, Sequence):
                    items += value.items
                elif isinstance(value, Instance):
                    items.append(value)
        else:
            items.append(reader.evaluate(element))
    return sequence(items, {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)], exact)


def eval_dict(reader: Reader, node: ast.Dict) -> Value:
    """{key: value}"""
    items: dict[Any, Value] = {}
    exact = True
    for key, value_node in zip(node.keys, node.values):
        value = reader.evaluate(value_node)
        if key is None:
            value = content(value)
            if isinstance(value, Mapping):
                items.update(value.items)
                exact = exact and value.exact
            else:
                exact = False
            continue
        name = reader.evaluate(key)
        if isinstance(name, Constant) and _hashable(name.value):
            items[name.value] = value
        else:
            exact = False
            if isinstance(name, (Library, Class)):
                items[getattr(name, "name", "")] = value
    return mapping(items, exact, reader.place(node))


def eval_comprehension(reader: Reader, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    """A comprehension is a loop in its own frame; over known items it is read item by item."""
    outer = reader.frame
    reader.frame = Frame(outer.module, {}, outer, outer.owner, outer.receiver)
    results: list[Value] = []
    pairs: dict[Any, Value] = {}
    state: dict[str, Any] = {"exact": True, "filtered": None}

    def step(index: int) -> None:
        if index == len(node.generators):
            if isinstance(node, ast.DictComp):
                key, value = reader.evaluate(node.key), reader.evaluate(node.value)
                if isinstance(key, Constant) and _hashable(key.value):
                    pairs[key.value] = value
                else:
                    state["exact"] = False
                    if len(pairs) < 8:
                        pairs[f"<{reader.text(node.key)}>{len(pairs)}"] = value
            else:
                results.append(reader.evaluate(node.elt))
            return
        generator = node.generators[index]
        value = reader.evaluate(generator.iter)
        from advisor.read.python import statements

        iteration = reader.iterate(value, generator.iter)
        items = iteration.items
        turns: list[Value]
        if (items is not None and len(items) <= 64 and iteration.what != "range") or (
            items is not None and iteration.what == "range" and len(items) <= 16
        ):
            turns = list(items)
        else:
            turns = [iteration.item]
            state["exact"] = False
        reader.loop_depth += 1 if items is None else 0
        try:
            for item in turns:
                statements.assign(reader, generator.target, item, generator.target)
                keep = True
                for test in generator.ifs:
                    truth = reader.truth(reader.evaluate(test))
                    if truth is False and reader.strong_truth(reader.evaluate(test)) is False:
                        keep = False
                        break
                    if truth is not True:
                        state["exact"] = False
                        if isinstance(item, Weights) or (isinstance(item, Sequence) and any(isinstance(i, Weights) for i in item.items)):
                            state["filtered"] = reader.text(test)
                if keep:
                    step(index + 1)
        finally:
            reader.loop_depth -= 1 if items is None else 0

    try:
        step(0)
    finally:
        reader.frame = outer
    if isinstance(node, ast.DictComp):
        return mapping(pairs, bool(state["exact"]), reader.place(node))
    if len(results) == 1 and isinstance(results[0], Weights) and not state["exact"]:
        one = results[0]
        parameters = one.parameters
        if state["filtered"]:
            text = str(state["filtered"])
            parameters = replace(parameters, filtered=text, exact=False)
        return Weights(replace(parameters, iterator=isinstance(node, ast.GeneratorExp)), of_grad=one.of_grad)
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "generator"}[type(node)]
    return sequence(results, kind, bool(state["exact"]))


def eval_formatted(reader: Reader, node: ast.JoinedStr) -> Value:
    """A formatted string."""
    text, weak = "", False
    origin: tuple[Link, ...] = ()
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        value = reader.evaluate(part.value)  # type: ignore[attr-defined]
        if isinstance(value, Union):
            value = value.members[0] if isinstance(value.members[0], Constant) else Opaque("a formatted text", "str")
            weak = True
        if not isinstance(value, Constant) or part.format_spec is not None:  # type: ignore[attr-defined]
            for rest in node.values[node.values.index(part) + 1 :]:
                if isinstance(rest, ast.FormattedValue):
                    reader.evaluate(rest.value)
            return Opaque("a formatted text", "str")
        text += str(value.value) if part.conversion != 114 else repr(value.value)  # type: ignore[attr-defined]
        origin, weak = origin + value.origin, weak or value.weak
        if len(text) > LONGEST_TEXT:
            return Opaque("a very long text", "str")
    return Constant(text, origin[:6], weak, reader.place(node))


def eval_lambda(reader: Reader, node: ast.Lambda) -> Value:
    """lambda"""
    return calls.make_function(reader, node)


def eval_walrus(reader: Reader, node: ast.NamedExpr) -> Value:
    """name := value"""
    from advisor.read.python import statements

    value = reader.evaluate(node.value)
    statements.assign(reader, node.target, value, node)
    return value


def eval_yield(reader: Reader, node: ast.Yield) -> Value:
    """yield: what consumes the generator goes on here."""
    value = reader.evaluate(node.value) if node.value is not None else NONE
    if reader.on_yield and reader.on_yield[-1] is not None:
        reader.on_yield[-1](value)
    elif reader.frame.yields is not None:
        reader.frame.yields.append(value)
    return Opaque("what is sent to a generator")


def eval_yield_from(reader: Reader, node: ast.YieldFrom) -> Value:
    """yield from"""
    value = reader.evaluate(node.value)
    if isinstance(value, Generator):
        handler = reader.on_yield[-1] if reader.on_yield else None
        yields = reader.frame.yields
        calls.consume(reader, value, handler if handler is not None else (lambda v: yields.append(v) if yields is not None else None), node)
        return Opaque("what a generator returns")
    iteration = reader.iterate(value, node.value)
    if reader.on_yield and reader.on_yield[-1] is not None:
        from advisor.model.events import Loop

        body: list[Any] = []
        outer = reader.block
        reader.block = body
        try:
            reader.on_yield[-1](iteration.item)
        finally:
            reader.block = outer
        if body or iteration.over is not None:
            reader.block.append(Loop(reader.place(node), body, iteration.over, iteration.count, iteration.what))  # type: ignore[arg-type]
    elif reader.frame.yields is not None:
        reader.frame.yields.append(iteration.item)
    return Opaque("what a generator returns")


def eval_await(reader: Reader, node: ast.Await) -> Value:
    """await"""
    return reader.evaluate(node.value)


def eval_starred(reader: Reader, node: ast.Starred) -> Value:
    """*value"""
    return reader.evaluate(node.value)


PURE_METHODS = frozenset(
    [
        "to",
        "cuda",
        "cpu",
        "float",
        "half",
        "double",
        "long",
        "int",
        "bool",
        "type",
        "detach",
        "clone",
        "contiguous",
        "view",
        "reshape",
        "permute",
        "transpose",
        "t",
        "squeeze",
        "unsqueeze",
        "flatten",
        "expand",
        "repeat",
        "sum",
        "mean",
        "max",
        "min",
        "softmax",
        "sigmoid",
        "relu",
        "tanh",
        "exp",
        "log",
        "sqrt",
        "abs",
        "clamp",
        "item",
        "numpy",
        "mul",
        "add",
        "sub",
        "div",
        "pow",
        "matmul",
        "bmm",
        "type_as",
        "requires_grad",
    ]
)


def discarded(reader: Reader, node: ast.Call, result: Value) -> None:
    """An expression statement `x.to(device)` whose result is thrown away and that changes nothing."""
    if isinstance(node.func, ast.Attribute):
        receiver = peek(reader, node.func.value)
        name = node.func.attr
        if isinstance(receiver, Tensor) and name in PURE_METHODS and isinstance(result, (Tensor, Opaque)):
            reader.emit(Kind.DISCARD, node, call=reader.text(node), what=name, of="tensor", flow=receiver.flow)
            return
        library = receiver.name if isinstance(receiver, Library) else None
        full = f"{library}.{name}" if library else (f"{receiver.kind}.{name}" if isinstance(receiver, Instance) else None)
        if full in PURE_CALLS and not any(k.arg in ("out", "inplace") for k in node.keywords):
            reader.emit(Kind.DISCARD, node, call=reader.text(node), what=full, of="library")


PURE_CALLS = frozenset(
    [
        "numpy.delete",
        "numpy.append",
        "numpy.concatenate",
        "numpy.reshape",
        "numpy.sort",
        "numpy.clip",
        "numpy.transpose",
        "numpy.squeeze",
        "numpy.expand_dims",
        "pandas.DataFrame.drop",
        "pandas.DataFrame.dropna",
        "pandas.DataFrame.fillna",
        "pandas.DataFrame.reset_index",
        "pandas.DataFrame.sort_values",
        "pandas.DataFrame.drop_duplicates",
        "pandas.DataFrame.rename",
        "pandas.DataFrame.astype",
        "pandas.DataFrame.replace",
        "torch.cat",
        "torch.stack",
        "torch.clamp",
        "torch.sigmoid",
        "torch.softmax",
        "torch.relu",
    ]
)

EXPRESSIONS: dict[type, Callable[[Reader, Any], Value]] = {
    ast.Constant: eval_constant,
    ast.Name: eval_name,
    ast.Attribute: eval_attribute,
    ast.Subscript: eval_subscript,
    ast.Slice: eval_slice,
    ast.BinOp: eval_binary,
    ast.UnaryOp: eval_unary,
    ast.BoolOp: eval_boolean,
    ast.Compare: eval_compare,
    ast.Call: eval_call,
    ast.IfExp: eval_conditional,
    ast.List: eval_list,
    ast.Tuple: eval_list,
    ast.Set: eval_list,
    ast.Dict: eval_dict,
    ast.ListComp: eval_comprehension,
    ast.SetComp: eval_comprehension,
    ast.GeneratorExp: eval_comprehension,
    ast.DictComp: eval_comprehension,
    ast.JoinedStr: eval_formatted,
    ast.Lambda: eval_lambda,
    ast.NamedExpr: eval_walrus,
    ast.Yield: eval_yield,
    ast.YieldFrom: eval_yield_from,
    ast.Await: eval_await,
    ast.Starred: eval_starred,
}
