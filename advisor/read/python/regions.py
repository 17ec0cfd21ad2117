"""with: regions of no_grad and autocast, context managers of the project."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Node, Region
from advisor.read.frameworks import table
from advisor.read.python import (
    assignment,
    classes,
    conditions,
    functions,
    statements,
)
from advisor.read.python.values import (
    Arguments,
    Constant,
    Function,
    Generator,
    Instance,
    Library,
    Opaque,
    Tensor,
    Union,
    Value,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


WAITING = ("pytest.raises", "contextlib.suppress")  # for an error
ENTERING = ("enter_context", "enter_async_context")


def run_with(reader: Reader, node: ast.With | ast.AsyncWith) -> str | None:
    """with"""
    waits = any(_waits_for_error(reader, item.context_expr) for item in node.items)
    reader.refusals.guarded += waits
    try:
        return _enter(reader, node, list(node.items))
    finally:
        reader.refusals.guarded -= waits


def _waits_for_error(reader: Reader, node: ast.expr) -> bool:
    """True for `pytest.raises(...)` and its like: what stands within may fail, or is to."""
    if not isinstance(node, ast.Call):
        return False
    if not isinstance(node.func, ast.Attribute):
        called = conditions.peek(reader, node.func)
        return isinstance(called, Library) and called.name in WAITING
    room = conditions.peek(reader, node.func.value)
    return node.func.attr in ("assertRaises", "assertRaisesRegex") or (isinstance(room, Library) and f"{room.name}.{node.func.attr}" in WAITING)


def _enter(reader: Reader, node: ast.With | ast.AsyncWith, items: list[ast.withitem]) -> str | None:
    if not items:
        return statements.run(reader, node.body)
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
            merged.data = {**merged.data, "maybe": True, "unsure": value.unsure or entered[0] is not merged}
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
                    assignment.assign(reader, item.optional_vars, yielded, node)
                statuses.append(_enter(reader, node, rest))
            finally:
                reader.on_yield.pop()
                reader.frame = inner

        functions.consume(reader, value, at_yield, item.context_expr)
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
            method = classes.class_lookup(reader, value.cls, "__enter__")
            if isinstance(method, Function):
                return table.Entered(value=functions.call_function(reader, method, Arguments([value]), node, value))
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
        assignment.assign(reader, item.optional_vars, entered.value or Opaque("an entered context"), node)
    if entered.region is None:
        stacked = not rest and isinstance(entered.value, Instance) and entered.value.role == "exit-stack"
        return statements.run(reader, _unstacked(node, item)) if stacked else _enter(reader, node, rest)
    return in_region(reader, reader.place(item.context_expr), entered.region, entered.data, lambda: _enter(reader, node, rest))


def _unstacked(node: ast.With | ast.AsyncWith, item: ast.withitem) -> list[ast.stmt]:
    """The block of an ExitStack, in which what is entered one by one (`stack.enter_context(x)`) is entered by a `with` around all that follows."""
    stack = item.optional_vars or item.context_expr
    if not isinstance(stack, ast.Name):
        return node.body
    if "unstacked" not in node.__dict__:
        node.__dict__["unstacked"] = _nested(node.body, stack.id)
    unstacked: list[ast.stmt] = node.__dict__["unstacked"]
    return unstacked


def _nested(body: list[ast.stmt], stack: str) -> list[ast.stmt]:
    for position, statement in enumerate(body):
        call = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
        if isinstance(call, ast.Await):
            call = call.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in ENTERING or len(call.args) != 1:
            continue
        if isinstance(call.func.value, ast.Name) and call.func.value.id == stack and not isinstance(call.args[0], ast.Starred):
            targets = statement.targets if isinstance(statement, ast.Assign) else [None]
            entered = ast.With([ast.withitem(call.args[0], targets[0])], _nested(body[position + 1 :], stack) or [ast.Pass()])
            return [*body[:position], ast.fix_missing_locations(ast.copy_location(entered, statement))]
    return body


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
