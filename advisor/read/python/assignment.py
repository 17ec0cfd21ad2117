"""Assignment: names, attributes, items and tuples bound, counters raised."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.model.recipe import Loader, Module, Split
from advisor.model.source import Unknown
from advisor.read.frameworks import table
from advisor.read.python import (
    calls,
    comprehensions,
    conditions,
    declared,
    early,
    gathering,
    lifetimes,
    operators,
    refusals,
    scopes,
    subscripts,
    unused,
)
from advisor.read.python.values import (
    Arguments,
    Constant,
    Generator,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    sequence,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


KEYS = 16  # of a dict that is replaced


def assign(reader: Reader, target: ast.AST, value: Value, node: ast.AST) -> None:
    """Binds a target: a name, attribute, item, or a tuple of targets."""
    if isinstance(target, ast.Name):
        _replaced(reader, target, node)
        _bind(reader, target, value, node)
        _steer(reader, target, value, node)
    elif isinstance(target, ast.Attribute):
        _replaced(reader, target, node)
        owner = reader.evaluate(target.value)
        if isinstance(owner, Instance) and owner.role == "namespace" and target.attr in owner.data.get("options", ()):
            declared.note_overwritten(reader, owner, target.attr, node)
        reader.set_attribute(owner, target.attr, value, target)
        _steer(reader, target, value, node)
    elif isinstance(target, ast.Subscript):
        owner = reader.evaluate(target.value)
        index = reader.evaluate(target.slice)
        subscripts.set_item(reader, owner, index, value, target)
        _steer(reader, target, value, node)
    elif isinstance(target, (ast.Tuple, ast.List)):
        unpack(reader, target, value, node)
    elif isinstance(target, ast.Starred):
        assign(reader, target.value, sequence([value], "list", exact=False), node)


def _bind(reader: Reader, target: ast.Name, value: Value, node: ast.AST) -> None:
    names = reader.frame.home(target.id)
    if target.id not in names and names is reader.frame.names:
        early.judge_binding(reader, target, node)
    reader.store.write(names, target.id, value)


def unpack(reader: Reader, target: ast.Tuple | ast.List, value: Value, node: ast.AST) -> None:
    """a, b = value"""
    elements = target.elts
    starred = next((i for i, element in enumerate(elements) if isinstance(element, ast.Starred)), None)
    if isinstance(value, Union):
        parts = [_parts(reader, member, len(elements), node) for member in value.members]
        columns = [
            join([part[i] for part in parts if part is not None and i < len(part)] or [Opaque("an unpacked value")]) for i in range(len(elements))
        ]
        for element, item in zip(elements, columns):
            assign(reader, element, item, node)
        return
    items = reader.items(value)
    if items is not None and starred is not None and len(items) >= len(elements) - 1:
        tail = len(elements) - starred - 1
        middle = items[starred : len(items) - tail]
        for element, item in zip(elements[:starred], items[:starred]):
            assign(reader, element, item, node)
        assign(reader, elements[starred].value, sequence(middle), node)  # type: ignore[attr-defined]
        for element, item in zip(elements[starred + 1 :], items[len(items) - tail :]):
            assign(reader, element, item, node)
        return
    parts_one = _parts(reader, value, len(elements), node)
    for index, element in enumerate(elements):
        item = parts_one[index] if parts_one is not None and index < len(parts_one) else Opaque("an unpacked value")
        assign(reader, element, item, node)


def _parts(reader: Reader, value: Value, count: int, node: ast.AST) -> list[Value] | None:
    items = reader.items(value)
    if items is not None:
        return items if len(items) == count else items[:count] + [Opaque("an unpacked value")] * max(0, count - len(items))
    if isinstance(value, Sequence):
        return [value.items[i] if i < len(value.items) else Opaque("an unpacked value") for i in range(count)]
    if isinstance(value, (Tensor, Instance, Generator, Weights)):
        if isinstance(value, Weights) and value.each:
            return [Opaque("the name of a parameter", "str"), value] if count == 2 else None
        if isinstance(value, Instance) and (value.cls is not None or value.role in ("loader",)):
            iteration = reader.iterate(value, node)
            return list(iteration.items) if iteration.items is not None else [iteration.item] * count
        return [reader.subscript(value, Constant(i), node) for i in range(count)]
    if isinstance(value, Opaque) and value.type == "shape":
        return [reader.subscript(value, Constant(i), node) for i in range(count)]
    if isinstance(value, Opaque):
        return [Opaque(value.why, flow=value.flow)] * count
    return None


def _replaced(reader: Reader, target: ast.Name | ast.Attribute, node: ast.AST) -> None:
    """`best = scores`: with a dict, what it holds under its keys is replaced; a list begins again."""
    if not reader.loop_depth or reader.forward_depth:
        return
    old = conditions.peek(reader, target)
    if isinstance(old, Sequence):
        lifetimes.shortened(reader, old, node)
    if isinstance(old, Mapping) and len(old.items) <= KEYS:
        reader.keep.append(old)
        for key in old.items:
            value = Unknown("the dict is replaced")
            reader.emit(Kind.RESET, node, variable=(id(old.state), key), value=value, text=f"{reader.text(target)}[{key!r}]")


def _held(value: Value) -> Iterable[Value]:
    """The object that is kept, the default one of several, or what a dict or a tuple holds of them."""
    inside = value.items.values() if isinstance(value, Mapping) else value.items if isinstance(value, Sequence) else (value,)
    return (item.members[0] if isinstance(item, Union) else item for item in inside)


def _name_part(source: object, name: str) -> None:
    """Notes what a part of a split is called."""
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], Split):
        source[0].names.setdefault(source[1], set()).add(name)


def _steer(reader: Reader, target: ast.AST, value: Value, node: ast.AST) -> None:
    """Events for what may steer training: counters reset, flags set, metrics kept, inside loops."""
    if isinstance(value, Instance) and isinstance(value.fact, Loader) and isinstance(target, (ast.Name, ast.Attribute)):
        value.fact.names |= {target.id if isinstance(target, ast.Name) else target.attr}
    if isinstance(value, Tensor) and value.flow.graph == "none" and not value.flow.modules and isinstance(target, (ast.Name, ast.Attribute)):
        _name_part(value.flow.source, target.id if isinstance(target, ast.Name) else target.attr)
    if not reader.loop_depth or reader.forward_depth:
        return
    weights: tuple[Value, ...] = ()
    if isinstance(value, (Instance, Mapping, Sequence, Union)):
        frame = reader.frame
        outlives = not isinstance(target, ast.Name) or reader.loop_depth > frame.loops or frame.home(target.id) is not frame.names
        weights = tuple(_held(value)) if outlives else ()
    if any(isinstance(part, Instance) and part.role == "state-tensor" for part in weights if part is not value):
        table.TENSORS["kept"](reader, value, "alias", node, reader.variable(target), reader.text(target))
    for part in weights:
        if isinstance(part, Instance) and part.role == "state":
            table.TENSORS["kept"](reader, part, "copy" if part.data.get("copied") else "alias", node, reader.variable(target), reader.text(target))
        elif isinstance(part, Instance) and part.role == "module" and reader.conditions and _renames(reader, target, part, node):
            table.TENSORS["kept"](reader, part, "alias", node, reader.variable(target), reader.text(target))
        elif isinstance(part, Instance) and part is value and reader.conditions and _is_copied_here(part, node):
            table.TENSORS["kept"](reader, part, "copy", node, reader.variable(target), reader.text(target))
    if isinstance(value, Constant) or (isinstance(value, Sequence) and value.exact and not value.items):
        variable = reader.variable(target)
        if variable is not None:
            reader.emit(Kind.RESET, node, variable=variable, value=setting(value), text=reader.text(target))
    elif isinstance(value, (Opaque, Tensor)):
        flow = value.flow
        if flow is None and isinstance(node, ast.Assign):
            _mark(reader, target, value, node)
        if flow is not None:
            variable = reader.variable(target)
            if variable is not None:
                reader.emit(
                    Kind.ASSIGN,
                    node,
                    variable=variable,
                    flow=flow,
                    value=setting(value) if isinstance(value, Opaque) else None,
                    text=reader.text(target),
                )


def _renames(reader: Reader, target: ast.AST, model: Instance, node: ast.AST) -> bool:
    """True where another name is given to what all turns of the loop around have, not to what a call gives, a copy or `model.to(device)`."""
    if not isinstance(node, ast.Assign) or reader.text(target) in reader.text(node.value):
        return False
    parts = node.value.values if isinstance(node.value, ast.Dict) else getattr(node.value, "elts", (node.value,))
    if not any(isinstance(part, (ast.Name, ast.Attribute)) and conditions.peek(reader, part) is model for part in parts):
        return False
    own = scopes.assigned(reader.turns[-1][1]).names if reader.turns and reader.loop_depth > reader.frame.loops else frozenset[str]()
    names = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    return not any(reader.frame.lookup(name) is model for name in names & own)


def _is_copied_here(model: Instance, node: ast.AST) -> bool:
    """True for `best_model = copy.deepcopy(model)`."""
    return isinstance(model.fact, Module) and model.fact.copy_of is not None and isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)


def _mark(reader: Reader, target: ast.AST, value: Value, node: ast.Assign) -> None:
    """`best_epoch = epoch`: a turn that is remembered; `stop = epoch - best_epoch >= patience`: the answer of a distance from it."""
    counter = isinstance(value, Opaque) and value.type == "int" and isinstance(node.value, (ast.Name, ast.Attribute, ast.Tuple))
    asked = reader.condition(node.value, value) if isinstance(node.value, ast.Compare) and len(node.value.ops) == 1 else None
    if not counter and (asked is None or asked.since is None):
        return
    variable = reader.variable(target)
    if variable is not None:
        returned = isinstance(target, ast.Name) and bool(reader.active) and target.id in scopes.returned(reader.active[-1])
        reader.emit(
            Kind.ASSIGN, node, variable=variable, flow=None, value=setting(value), text=reader.text(target), condition=asked, returned=returned
        )


def run_assign(reader: Reader, node: ast.Assign) -> str | None:
    """target = value. `n = n + 1` counts as `n += 1` does."""
    counting = _counting(node)
    if counting is not None:
        return run_augmented(reader, counting)
    unpacked = node.value if isinstance(node.targets[0], (ast.Tuple, ast.List)) and isinstance(node.value, ast.Call) else None
    if unpacked is not None:
        reader.refusals.unpacked[unpacked] = []
    value = comprehensions.bound(reader, node.value) if isinstance(node.value, ast.GeneratorExp) else reader.evaluate(node.value)
    conditions.remember(reader, node.value, value)
    if unpacked is not None:
        refusals.judge_unpacking(reader, node)
    unused.note(reader, node, value)
    for target in node.targets:
        assign(reader, target, value, node)
    return None


def _counting(node: ast.Assign) -> ast.AugAssign | None:
    """`n = n + 1` as `n += 1`; None for every other assignment."""
    value = node.value
    if type(value) is not ast.BinOp:
        return None
    target = node.targets[0]
    if not isinstance(value.op, (ast.Add, ast.Sub)) or not isinstance(value.right, ast.Constant):
        return None
    if not isinstance(value.right.value, int) or len(node.targets) > 1 or not isinstance(target, (ast.Name, ast.Attribute)):
        return None
    if type(value.left) is not type(target) or ast.unparse(value.left) != ast.unparse(target):
        return None
    return ast.copy_location(ast.AugAssign(target, value.op, value.right), node)


def run_annotated(reader: Reader, node: ast.AnnAssign) -> str | None:
    """target: annotation = value"""
    if node.value is not None:
        assign(reader, node.target, reader.evaluate(node.value), node)
    return None


def run_augmented(reader: Reader, node: ast.AugAssign) -> str | None:
    """x += y. Inside a loop a constant changes each turn: it becomes unknown of its type, and the turn is counted."""
    old = reader.evaluate(_as_load(node.target))
    new = reader.evaluate(node.value)
    if isinstance(old, Weights) and (old.each or not isinstance(node.op, ast.Add)):
        reader.emit(Kind.GRAD_WRITE, node, old.parameters, what="in-place")
        return None
    grows = isinstance(old, Weights) or (isinstance(old, Instance) and old.role == "module" and table.find_method(old, "extend") is not None)
    if grows and isinstance(node.op, ast.Add):
        calls.call_method(reader, old, "extend", Arguments([new]), node)
        return None
    first = isinstance(old, Sequence) and old.exact and not old.items and isinstance(new, Weights) and not new.each and not new.named
    if isinstance(old, Sequence) and isinstance(node.op, ast.Add) and not first:
        value = subscripts.extend_sequence(reader, old, new, node)
        if value is not None:
            return None
    value = operators.binary(reader, node.op, old, new, node)
    if reader.loop_depth and not reader.forward_depth and not isinstance(value, (Instance, Sequence, Mapping)):
        variable = reader.variable(node.target)
        if isinstance(node.op, (ast.Add, ast.Sub)) and variable is not None:
            flow = getattr(new, "flow", None)
            if isinstance(new, Tensor) or (flow is not None and flow.graph == "kept"):
                loops = lifetimes.outlived_by_name(reader, node.target)
                reader.emit(Kind.KEEP, node, flow=flow, how="add", variable=variable, text=reader.text(node), loops=loops)
            else:
                reader.emit(
                    Kind.COUNT,
                    node,
                    variable=variable,
                    amount=setting(new),
                    flow=flow,
                    text=reader.text(node),
                    sign=1 if isinstance(node.op, ast.Add) else -1,
                )
        value = gathering.grown(old, value)
        if isinstance(value, Constant):
            value = Opaque("it changes in the loop", type(value.value).__name__)
        elif isinstance(value, Union):
            value = Opaque("it changes in the loop")
    target = node.target
    if isinstance(target, ast.Name):
        _bind(reader, target, value, node)
    elif isinstance(target, ast.Attribute):
        reader.set_attribute(reader.evaluate(target.value), target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        subscripts.set_item(reader, reader.evaluate(target.value), reader.evaluate(target.slice), value, target)
    return None


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target
