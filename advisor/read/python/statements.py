"""Statements: what each kind does to the store and the event tree, and how it leaves."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Exit, Kind, Loop, Node, Region
from advisor.model.record import dataclass
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.python import calls, expressions, gathering, imports
from advisor.read.python.frames import Frame
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
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
    join,
    members,
    sequence,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

UNROLLED = 24  # items of a literal that a loop is read for one by one
LEAVING = ("return", "break", "continue", "raise")


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a piece of code binds: names, attribute names, and whether it yields."""

    names: frozenset[str]
    attributes: frozenset[str]
    yields: bool
    globals: frozenset[str]
    nonlocals: frozenset[str]


_assigned: dict[int, tuple[ast.AST, Assigned]] = {}


def assigned(node: ast.AST) -> Assigned:
    """The names that a loop or function binds in its own scope (collected once per node)."""
    cached = _assigned.get(id(node))
    if cached is not None and cached[0] is node:
        return cached[1]
    names: set[str] = set()
    attributes: set[str] = set()
    global_names: set[str] = set()
    nonlocal_names: set[str] = set()
    yields = False
    stack: list[ast.AST] = list(getattr(node, "body", ())) + list(getattr(node, "orelse", ())) if not isinstance(node, ast.Lambda) else [node.body]
    if isinstance(node, (ast.For, ast.AsyncFor)):
        stack.append(node.target)
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is ast.Name:
            if isinstance(item.ctx, ast.Store):  # type: ignore[attr-defined]
                names.add(item.id)  # type: ignore[attr-defined]
            continue
        if kind is ast.Attribute and isinstance(item.ctx, ast.Store):  # type: ignore[attr-defined]
            attributes.add(item.attr)  # type: ignore[attr-defined]
        elif kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            names.add(item.name)  # type: ignore[attr-defined]
            continue
        elif kind is ast.Lambda:
            continue
        elif kind in (ast.Yield, ast.YieldFrom):
            yields = True
        elif kind is ast.Global:
            global_names.update(item.names)  # type: ignore[attr-defined]
        elif kind is ast.Nonlocal:
            nonlocal_names.update(item.names)  # type: ignore[attr-defined]
        stack.extend(ast.iter_child_nodes(item))
    found = Assigned(frozenset(names), frozenset(attributes), yields, frozenset(global_names), frozenset(nonlocal_names))
    _assigned[id(node)] = (node, found)
    return found


def forget() -> None:
    """Drops what was collected about syntax trees that are no longer needed."""
    _assigned.clear()


def run(reader: Reader, body: list[ast.stmt]) -> str | None:
    """Executes statements in order until one leaves."""
    for node in body:
        if reader.spent:
            return None
        reader.steps += 1
        handler = STATEMENTS.get(type(node))
        if handler is not None:
            status = handler(reader, node)
            if status is not None:
                return status
    return None


# --- assignment --------------------------------------------------------------------------------------------------


def assign(reader: Reader, target: ast.AST, value: Value, node: ast.AST) -> None:
    """Binds a target: a name, attribute, item, or a tuple of targets."""
    if isinstance(target, ast.Name):
        reader.store.write(reader.frame.home(target.id), target.id, _seen_through(reader, target.id, value, node))
        _steer(reader, target, value, node)
    elif isinstance(target, ast.Attribute):
        owner = reader.evaluate(target.value)
        reader.set_attribute(owner, target.attr, value, target)
        _steer(reader, target, value, node)
    elif isinstance(target, ast.Subscript):
        owner = reader.evaluate(target.value)
        index = reader.evaluate(target.slice)
        expressions.set_item(reader, owner, index, value, target)
        _steer(reader, target, value, node)
    elif isinstance(target, (ast.Tuple, ast.List)):
        unpack(reader, target, value, node)
    elif isinstance(target, ast.Starred):
        assign(reader, target.value, sequence([value], "list", exact=False), node)


def _seen_through(reader: Reader, name: str, value: Value, node: ast.AST) -> Value:
    """A module-level or local constant written as a literal is a link of the provenance chain when used elsewhere."""
    return value


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
    if isinstance(value, Opaque):
        return [Opaque(value.why, flow=value.flow)] * count
    return None


def _steer(reader: Reader, target: ast.AST, value: Value, node: ast.AST) -> None:
    """Events for what may steer training: counters reset, flags set, metrics kept, inside loops."""
    if not reader.loop_depth or reader.forward_depth:
        return
    outlives = not isinstance(target, ast.Name) or reader.loop_depth > reader.frame.loops or reader.frame.home(target.id) is not reader.frame.names
    weights = (value,) if isinstance(value, Instance) else value.items.values() if isinstance(value, Mapping) else ()
    if outlives and any(isinstance(part, Instance) and part.role == ("state" if part is value else "state-tensor") for part in weights):
        table.TENSORS["kept"](reader, value, "copy" if isinstance(value, Instance) and value.data.get("copied") else "alias", node)
    if isinstance(value, Constant):
        variable = reader.variable(target)
        if variable is not None:
            reader.emit(Kind.RESET, node, variable=variable, value=setting(value), text=reader.text(target))
    elif isinstance(value, (Opaque, Tensor)):
        flow = value.flow
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


def run_assign(reader: Reader, node: ast.Assign) -> str | None:
    """target = value"""
    value = reader.evaluate(node.value)
    for target in node.targets:
        assign(reader, target, value, node)
    return None


def run_annotated(reader: Reader, node: ast.AnnAssign) -> str | None:
    """target: annotation = value"""
    if node.value is not None:
        assign(reader, node.target, reader.evaluate(node.value), node)
    return None


def run_augmented(reader: Reader, node: ast.AugAssign) -> str | None:
    """x += y. Inside a loop a constant changes each turn: it becomes unknown of its type, and the turn is counted."""
    old = reader.evaluate(_as_load(node.target))
    new = reader.evaluate(node.value)
    if isinstance(old, Weights):
        reader.emit(Kind.GRAD_WRITE, node, old.parameters, what="in-place")
        return None
    if isinstance(old, Instance) and old.role == "module" and isinstance(node.op, ast.Add) and table.find_method(old, "extend") is not None:
        calls.call_method(reader, old, "extend", Arguments([new]), node)
        return None
    if isinstance(old, Sequence) and isinstance(node.op, ast.Add):
        value = expressions.extend_sequence(reader, old, new)
        if value is not None:
            return None
    value = expressions.binary(reader, node.op, old, new, node)
    if reader.loop_depth and not reader.forward_depth and not isinstance(value, (Instance, Sequence, Mapping)):
        variable = reader.variable(node.target)
        if isinstance(node.op, (ast.Add, ast.Sub)) and variable is not None:
            flow = getattr(new, "flow", None)
            if isinstance(new, Tensor) or (flow is not None and flow.graph == "kept"):
                reader.emit(Kind.KEEP, node, flow=flow, how="add", variable=variable, text=reader.text(node))
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
        if isinstance(value, Constant):
            value = Opaque("it changes in the loop", type(value.value).__name__)
        elif isinstance(value, Union):
            value = Opaque("it changes in the loop")
    target = node.target
    if isinstance(target, ast.Name):
        reader.store.write(reader.frame.home(target.id), target.id, value)
    elif isinstance(target, ast.Attribute):
        reader.set_attribute(reader.evaluate(target.value), target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        expressions.set_item(reader, reader.evaluate(target.value), reader.evaluate(target.slice), value, target)
    return None


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def run_expression(reader: Reader, node: ast.Expr) -> str | None:
    """An expression statement. A call whose result is thrown away is noted when nothing else comes of it."""
    value = node.value
    if isinstance(value, ast.Constant):
        return None
    before = reader.leaves
    result = reader.evaluate(value)
    if isinstance(value, ast.Call) and isinstance(value.func, (ast.Attribute, ast.Name)) and reader.leaves == before:
        expressions.discarded(reader, value, result)
    if reader.frame.returns and reader.frame.returns[-1] is EXIT:
        reader.frame.returns.pop()
        reader.block.append(Exit(reader.place(node), "exit"))
        return "raise"
    return None


EXIT = Constant("exit")


# --- control flow ------------------------------------------------------------------------------------------------


def run_if(reader: Reader, node: ast.If) -> str | None:
    """if: one arm when the condition is certain, both when it is not."""
    test = reader.evaluate(node.test)
    strong = reader.strong_truth(test)
    if strong is not None:
        return run(reader, node.body if strong else node.orelse)
    weak = reader.truth(test)
    condition = reader.condition(node.test, test)

    def arm(body: list[ast.stmt], taken: bool) -> Callable[[], tuple[str | None, Any]]:
        def thunk() -> tuple[str | None, Any]:
            narrowed = narrow(reader, node.test, taken)
            status = run(reader, body)
            widened_again(reader, narrowed)
            return status, None

        return thunk

    arms = [(True, node.body), (False, node.orelse)]
    if weak is False:
        arms.reverse()
    labelled: list[tuple[str, bool | None, Any]] = [
        (("default" if i == 0 else "flag") if weak is not None else ("unknown" if taken else "else"), taken, arm(body, taken))
        for i, (taken, body) in enumerate(arms)
    ]
    statuses = [status for status, _ in reader.branch(node, condition, labelled)]
    if all(status is not None for status in statuses):
        return next((s for s in statuses if s != "raise"), "raise")
    for (_, body), status in zip(arms, statuses):
        if status in ("return", "raise", "continue", "break"):
            narrow(reader, node.test, body is node.orelse)
    return None


Narrowed = list[tuple[dict[str, Value], str, Value, Value]]  # where, name, what it was, what it is inside the arm


def narrow(reader: Reader, test: ast.expr, taken: bool) -> Narrowed:
    """What the branch taken tells about a name: `x is None`, truthiness, `not`, `and`. Gives what it changed, to be given back after the arm."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return narrow(reader, test.operand, not taken)
    if isinstance(test, ast.BoolOp):
        return [item for part in test.values for item in narrow(reader, part, taken)] if isinstance(test.op, ast.And) == taken else []
    if isinstance(test, (ast.Name, ast.Attribute)):
        return _filter(reader, test, lambda v: reader.strong_truth(v) is not (not taken) and not _contradicts(v, taken), taken)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, (ast.Name, ast.Attribute)):
        right = test.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None and isinstance(test.ops[0], (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            wants_none = taken == isinstance(test.ops[0], (ast.Is, ast.Eq))
            return _filter(reader, test.left, lambda v: (isinstance(v, Constant) and v.value is None) == wants_none or isinstance(v, Opaque), not wants_none)
    return []


def _contradicts(value: Value, taken: bool) -> bool:
    """A default that is not the value this arm is taken with."""
    return isinstance(value, Constant) and value.weak and bool(value.value) is not taken


def _filter(reader: Reader, target: ast.Name | ast.Attribute, keep: Callable[[Value], bool], given: bool) -> Narrowed:
    value = expressions.peek(reader, target)
    if value is None:
        return []
    kept = [member for member in members(value) if keep(member)]
    if len(kept) == len(members(value)):
        return []
    if not kept:
        if not given or not isinstance(value, Constant) or not value.weak:
            return []
        kept = [Opaque(f"what is given for `{reader.text(target)}`")]
    new = join(kept)
    if isinstance(target, ast.Name):
        home = reader.frame.home(target.id)
        if target.id not in home:
            return []
        reader.store.write(home, target.id, new)
        return [(home, target.id, value, new)]
    owner = expressions.peek(reader, target.value)
    if isinstance(owner, Instance) and target.attr in owner.attributes:
        held = owner.attributes[target.attr]
        reader.store.write(owner.attributes, target.attr, new)
        return [(owner.attributes, target.attr, held, new)]
    return []


def widened_again(reader: Reader, narrowed: Narrowed) -> None:
    """Gives back what a name was before an arm narrowed it, where the arm did not bind it anew."""
    for container, name, old, new in narrowed:
        if container.get(name) is new:
            reader.store.write(container, name, old)


def widen(reader: Reader, node: ast.AST) -> None:
    """Before a loop: every constant that the loop assigns becomes unknown of its type, so that no first turn decides a condition."""
    found = assigned(node)
    for name in found.names:
        value = reader.frame.lookup(name)
        home = reader.frame.home(name)
        if value is not None and name in home:
            changed = _widened(value)
            if changed is not value:
                reader.store.write(home, name, changed)
    if found.attributes:
        for container in _instances_in_reach(reader):
            for name in found.attributes:
                held = container.attributes.get(name)
                if held is not None and container.role not in ("module",):
                    changed = _widened(held)
                    if changed is not held:
                        reader.store.write(container.attributes, name, changed)


def _instances_in_reach(reader: Reader) -> list[Instance]:
    found = [value for value in reader.frame.names.values() if isinstance(value, Instance) and value.cls is not None]
    return found[:12]


def _widened(value: Value) -> Value:
    if isinstance(value, Constant):
        if value.value is None:
            return Union((Opaque("it changes in the loop"), NONE))
        if isinstance(value.value, (bool, int, float)):
            return Opaque("it changes in the loop", type(value.value).__name__)
        return Opaque("it changes in the loop", type(value.value).__name__)
    if isinstance(value, Union) and any(isinstance(member, Constant) for member in value.members):
        return Union(tuple(_widened(m) if isinstance(m, Constant) and m.value is not None else m for m in value.members))
    if isinstance(value, Sequence) and value.exact and all(isinstance(i, Constant) for i in value.items) and not value.items:
        return value
    return value


def run_for(reader: Reader, node: ast.For | ast.AsyncFor) -> str | None:
    """for: the body once, with what it assigns widened; literals item by item; generators where they are consumed."""
    value = reader.evaluate(node.iter)
    if isinstance(value, Union):
        generators = [m for m in value.members if isinstance(m, Generator)]
        value = generators[0] if generators else value
    if isinstance(value, Generator):
        return _run_generator_loop(reader, node, value)
    iteration = calls.iterate(reader, value, node.iter, lazily=True)
    if isinstance(iteration.item, Generator):
        return _run_generator_loop(reader, node, iteration.item)
    items = iteration.items
    if items is not None and len(items) <= UNROLLED and not _is_counter(iteration):
        return _run_unrolled(reader, node, items, iteration)
    body: list[Node] = []
    loop = Loop(reader.place(node), body, iteration.over, iteration.count, iteration.what)  # type: ignore[arg-type]
    loop.name = reader.text(node.target)
    widen(reader, node)
    status = _body(reader, node, body, lambda: assign(reader, node.target, iteration.item, node.target))
    if isinstance(node.target, ast.Name):
        loop.variable = reader.variable(node.target)
    gathering.settle(reader, node, iteration.over)
    _attach(reader, loop)
    run(reader, node.orelse)
    return status if status in ("return", "raise") and isinstance(node.iter, ast.Constant) else None


def _is_counter(iteration: table.Iteration) -> bool:
    return iteration.what == "range"


def _body(reader: Reader, node: ast.For | ast.AsyncFor | ast.While, body: list[Node], bind: Callable[[], None]) -> str | None:
    outer = reader.block
    reader.block = body
    reader.loop_depth += 1
    try:
        bind()
        return run(reader, node.body)
    finally:
        reader.loop_depth -= 1
        reader.block = outer


def _attach(reader: Reader, loop: Loop) -> None:
    if loop.body or loop.over is not None:
        reader.block.append(loop)


def _run_unrolled(reader: Reader, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], iteration: table.Iteration) -> str | None:
    """A loop over a literal is read item by item; each turn stands as a loop of one turn (what="turn")."""
    if not items:
        return run(reader, node.orelse)
    mutated = assigned(node)
    for index, item in enumerate(items):
        body: list[Node] = []
        turn = Loop(reader.place(node), body, None, Known(1), "turn")
        if index == 0 and len(items) > 1:
            for name in mutated.names:
                held = reader.frame.names.get(name)
                if isinstance(held, Constant) and isinstance(held.value, (int, float)) and not isinstance(held.value, bool):
                    reader.store.write(reader.frame.names, name, _widened(held))
        outer = reader.block
        reader.block = body
        try:
            assign(reader, node.target, item, node.target)
            status = run(reader, node.body)
        finally:
            reader.block = outer
        _attach(reader, turn)
        if status in ("return", "raise"):
            return status
        if status == "break" or reader.spent:
            break
    run(reader, node.orelse)
    return None


def _run_generator_loop(reader: Reader, node: ast.For | ast.AsyncFor, generator: Generator) -> str | None:
    """A project generator is read where it is consumed: its `yield` executes the loop's body."""
    outer_frame = reader.frame
    widen(reader, node)
    status: list[str | None] = []

    def at_yield(value: Value) -> None:
        inner = reader.frame
        reader.frame = outer_frame
        reader.loop_depth += 1
        reader.on_yield.append(None)
        try:
            assign(reader, node.target, value, node.target)
            status.append(run(reader, node.body))
        finally:
            reader.on_yield.pop()
            reader.loop_depth -= 1
            reader.frame = inner

    calls.consume(reader, generator, at_yield, node)
    run(reader, node.orelse)
    return None


def run_while(reader: Reader, node: ast.While) -> str | None:
    """while: the body once, with what it assigns widened."""
    widen(reader, node)
    test = reader.evaluate(node.test)
    if reader.strong_truth(test) is False:
        return run(reader, node.orelse)
    body: list[Node] = []
    loop = Loop(reader.place(node), body, None, None, "while")
    loop.name = reader.text(node.test)
    condition = reader.condition(node.test, test)
    loop.variable = condition.variable
    outer = reader.block
    reader.block = body
    reader.loop_depth += 1
    try:
        if reader.strong_truth(test) is None:
            arms: list[tuple[str, bool | None, Any]] = [
                ("else", False, lambda: (_leave(reader, node, "break"), None)),
                ("unknown", True, lambda: (None, None)),
            ]
            reader.branch(node.test, condition, arms)
        status = run(reader, node.body)
    finally:
        reader.loop_depth -= 1
        reader.block = outer
    _attach(reader, loop)
    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
    return "return" if status == "return" and endless else None


def _leave(reader: Reader, node: ast.AST, what: str) -> str:
    reader.block.append(Exit(reader.place(node), what))  # type: ignore[arg-type]
    return what


def run_return(reader: Reader, node: ast.Return) -> str | None:
    """return"""
    value = reader.evaluate(node.value) if node.value is not None else NONE
    reader.frame.returns.append(value)
    reader.block.append(Exit(reader.place(node), "return", setting(value) if isinstance(value, Constant) else None))
    return "return"


def run_break(reader: Reader, node: ast.AST) -> str | None:
    """break"""
    return _leave(reader, node, "break")


def run_continue(reader: Reader, node: ast.AST) -> str | None:
    """continue"""
    return _leave(reader, node, "continue")


def run_raise(reader: Reader, node: ast.Raise) -> str | None:
    """raise"""
    if node.exc is not None:
        reader.evaluate(node.exc)
    return _leave(reader, node, "raise")


def run_try(reader: Reader, node: ast.Try) -> str | None:
    """try: the body, then each handler as an alternative."""
    status = run(reader, node.body)
    if status is None and node.orelse:
        status = run(reader, node.orelse)
    if node.handlers:

        def handler(item: ast.ExceptHandler) -> Callable[[], tuple[str | None, Any]]:
            def thunk() -> tuple[str | None, Any]:
                if item.name:
                    reader.store.write(reader.frame.home(item.name), item.name, Opaque("an exception"))
                return run(reader, item.body), None

            return thunk

        arms: list[tuple[str, bool | None, Any]] = [("default", None, lambda: (status, None))]
        arms += [("except", None, handler(item)) for item in node.handlers]
        results = reader.branch(node, None, arms)
        if status is not None and any(leave is None for leave, _ in results[1:]):
            status = None if status != "return" else status
    if node.finalbody:
        run(reader, node.finalbody)
    return status if status in LEAVING else None


def run_with(reader: Reader, node: ast.With | ast.AsyncWith) -> str | None:
    """with"""
    return _enter(reader, node, list(node.items))


def _enter(reader: Reader, node: ast.With | ast.AsyncWith, items: list[ast.withitem]) -> str | None:
    if not items:
        return run(reader, node.body)
    item, rest = items[0], items[1:]
    value = reader.evaluate(item.context_expr)
    if isinstance(value, Union):
        managers = [m for m in value.members if not (isinstance(m, Constant) and m.value is None)]
        entered = [enter_value(reader, m, item.context_expr) for m in managers]
        regions = [e for e in entered if e is not None and e.region is not None]
        if regions and len(regions) == len(managers):
            return _region(reader, node, item, regions[0], rest)
        if regions:
            merged = regions[0]
            merged.data = {**merged.data, "maybe": True}
            return _region(reader, node, item, merged, rest)
        value = managers[0] if managers else value
    if isinstance(value, Generator):
        statuses: list[str | None] = []
        outer_frame = reader.frame

        def at_yield(yielded: Value) -> None:
            inner = reader.frame
            reader.frame = outer_frame
            reader.on_yield.append(None)
            try:
                if item.optional_vars is not None:
                    assign(reader, item.optional_vars, yielded, node)
                statuses.append(_enter(reader, node, rest))
            finally:
                reader.on_yield.pop()
                reader.frame = inner

        calls.consume(reader, value, at_yield, item.context_expr)
        if not statuses:
            return _enter(reader, node, rest)
        return statuses[0]
    result = enter_value(reader, value, item.context_expr)
    return _region(reader, node, item, result or table.Entered(), rest)


def enter_value(reader: Reader, value: Value, node: ast.AST) -> table.Entered | None:
    """What `with` over a value does."""
    if isinstance(value, Instance):
        handler = table.ENTERS.get(value.kind) or table.ENTERS.get(value.role or "")
        if handler is not None:
            return handler(reader, value, node)
        if value.cls is not None:
            method = calls.class_lookup(reader, value.cls, "__enter__")
            if isinstance(method, Function):
                return table.Entered(value=calls.call_function(reader, method, Arguments([value]), node, value))
        return table.Entered(value=value)
    if isinstance(value, Library):
        handler = table.ENTERS.get(value.name)
        if handler is not None:
            return handler(reader, value, node)
    if isinstance(value, Opaque):
        return table.Entered(value=Opaque(value.why))
    return table.Entered(value=value if isinstance(value, Tensor) else Opaque("an entered context"))


def _region(reader: Reader, node: ast.With | ast.AsyncWith, item: ast.withitem, entered: table.Entered, rest: list[ast.withitem]) -> str | None:
    if item.optional_vars is not None:
        assign(reader, item.optional_vars, entered.value or Opaque("an entered context"), node)
    if entered.region is None:
        return _enter(reader, node, rest)
    return in_region(reader, reader.place(item.context_expr), entered.region, entered.data, lambda: _enter(reader, node, rest))


def in_region(reader: Reader, place: Any, what: str, data: dict[str, Any], thunk: Callable[[], str | None]) -> str | None:
    """Runs something inside a region; grad mode follows no_grad, enable_grad and set_grad_enabled."""
    body: list[Node] = []
    outer, mode = reader.block, reader.grad_mode
    reader.block = body
    maybe = data.get("maybe", False)
    if what in ("no_grad", "inference_mode"):
        reader.grad_mode = "unknown" if maybe and mode == "on" else "off"
    elif what == "enable_grad":
        reader.grad_mode = "on"
    elif what == "set_grad_enabled":
        enabled = data.get("enabled")
        value = getattr(enabled, "value", None)
        reader.grad_mode = "unknown" if getattr(enabled, "weak", False) or not isinstance(value, bool) else "on" if value else "off"
    try:
        return thunk()
    finally:
        reader.block, reader.grad_mode = outer, mode
        if body:
            outer.append(Region(place, what, data, body))


def run_match(reader: Reader, node: Any) -> str | None:
    """match: every case is an alternative; a literal pattern against a known subject decides."""
    subject = reader.evaluate(node.subject)
    arms: list[tuple[str, bool | None, Any]] = []
    default_first: list[tuple[str, bool | None, Any]] = []
    head = subject.members[0] if isinstance(subject, Union) else subject
    complete = False
    for case in node.cases:
        pattern = case.pattern
        values = _pattern_values(pattern)

        def thunk(case: Any = case) -> tuple[str | None, Any]:
            if isinstance(case.pattern, ast.MatchAs) and case.pattern.name:
                reader.store.write(reader.frame.home(case.pattern.name), case.pattern.name, subject)
            return run(reader, case.body), None

        if values is not None and isinstance(head, Constant) and case.guard is None:
            if head.value in values:
                if not head.weak and not isinstance(subject, Union):
                    return run(reader, case.body)
                default_first.append(("default", None, thunk))
            else:
                if not head.weak and not isinstance(subject, Union):
                    continue
                arms.append(("flag", None, thunk))
        else:
            if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and case.guard is None:
                complete = True
                if isinstance(head, Constant) and not head.weak and not isinstance(subject, Union):
                    return run(reader, case.body)
            arms.append(("unknown", None, thunk))
    if not complete:
        arms.append(("else", None, lambda: (None, None)))
    results = reader.branch(node, None, default_first + arms)
    if all(status is not None for status, _ in results):
        return next((s for s, _ in results if s != "raise"), "raise")
    return None


def _pattern_values(pattern: Any) -> list[Any] | None:
    if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant):
        return [pattern.value.value]
    if isinstance(pattern, ast.MatchSingleton):
        return [pattern.value]
    if isinstance(pattern, ast.MatchOr):
        parts = [_pattern_values(p) for p in pattern.patterns]
        return [v for part in parts if part for v in part] if all(part is not None for part in parts) else None
    return None


# --- definitions -------------------------------------------------------------------------------------------------


def run_function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """def"""
    value = calls.make_function(reader, node)
    reader.store.write(reader.frame.home(node.name), node.name, value)
    return None


def run_class(reader: Reader, node: ast.ClassDef) -> str | None:
    """class: its body in a frame of its own, its decorators applied."""
    bases = tuple(reader.evaluate(base) for base in node.bases if not isinstance(base, ast.Starred))
    outer = reader.frame
    namespace: dict[str, Value] = {}
    cls = Class(node, outer.module, bases, namespace, outer)
    cls.keywords = {k.arg: reader.evaluate(k.value) for k in node.keywords if k.arg}
    cls.mro = calls.linearise(cls)
    frame = Frame(outer.module, namespace, outer, owner=cls, is_class=True)
    reader.frame = frame
    try:
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                continue
            run(reader, [statement])
    finally:
        reader.frame = outer
    for value in namespace.values():
        if isinstance(value, Function) and value.owner is None:
            value.owner = cls
    result: Value = cls
    for decorator in reversed(node.decorator_list):
        result = calls.decorate(reader, result, decorator)
    reader.store.write(outer.home(node.name), node.name, result)
    return None


def run_delete(reader: Reader, node: ast.Delete) -> str | None:
    """del"""
    for target in node.targets:
        if isinstance(target, ast.Name):
            reader.store.delete(reader.frame.home(target.id), target.id)
        elif isinstance(target, ast.Subscript):
            owner = reader.evaluate(target.value)
            if isinstance(owner, Sequence):
                reader.store.write(owner.state, "exact", False)
            elif isinstance(owner, Mapping):
                index = reader.evaluate(target.slice)
                if isinstance(index, Constant) and index.value in owner.items:
                    reader.store.write(owner.state, "items", {k: v for k, v in owner.items.items() if k != index.value})
    return None


def run_assert(reader: Reader, node: ast.Assert) -> str | None:
    """assert"""
    value = reader.evaluate(node.test)
    narrow(reader, node.test, True)
    return "raise" if reader.strong_truth(value) is False and isinstance(node.test, ast.Constant) else None


def run_import(reader: Reader, node: ast.Import) -> str | None:
    """import"""
    imports.run_import(reader, node)
    return None


def run_import_from(reader: Reader, node: ast.ImportFrom) -> str | None:
    """from ... import"""
    imports.run_import_from(reader, node)
    return None


STATEMENTS: dict[type, Callable[[Reader, Any], str | None]] = {
    ast.Assign: run_assign,
    ast.AnnAssign: run_annotated,
    ast.AugAssign: run_augmented,
    ast.Expr: run_expression,
    ast.If: run_if,
    ast.For: run_for,
    ast.AsyncFor: run_for,
    ast.While: run_while,
    ast.Return: run_return,
    ast.Break: run_break,
    ast.Continue: run_continue,
    ast.Raise: run_raise,
    ast.Try: run_try,
    ast.With: run_with,
    ast.AsyncWith: run_with,
    ast.FunctionDef: run_function,
    ast.AsyncFunctionDef: run_function,
    ast.ClassDef: run_class,
    ast.Delete: run_delete,
    ast.Assert: run_assert,
    ast.Import: run_import,
    ast.ImportFrom: run_import_from,
    ast.Match: run_match,
}
if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = run_try
__all__ = ["Bound", "Module", "assign", "members", "run"]
