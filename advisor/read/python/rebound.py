"""Loops that give their own name another value, `for m in model.modules(): m = nn.Identity()`: what they go through stays as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.read.python import conditions, scopes
from advisor.read.python.discards import PURE_CALLS, PURE_METHODS
from advisor.read.python.frames import library_name
from advisor.read.python.values import Class, Instance, Sequence, Tensor, Value, Weights

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

LOOPS = (ast.For, ast.AsyncFor, ast.While)
CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
MAKING = frozenset({
    "zeros", "ones", "randn", "rand", "full", "eye", "tensor", "zeros_like", "ones_like", "randn_like", "rand_like", "full_like", "lerp",
})  # fmt: skip
MADE = PURE_CALLS | {f"torch.{name}" for name in MAKING} | {"torch.nn.Parameter", "torch.nn.parameter.Parameter"}
PLAIN = (ast.Name, ast.Attribute, ast.Constant, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Slice, ast.Tuple)


def note(reader: Reader, loop: ast.For | ast.AsyncFor, item: Value | None) -> None:
    """Looks at a loop over layers, weights or tensors."""
    names = dict(_bound(loop.target, item))
    for assign in _rebinds(loop) if names else ():
        name = assign.targets[0].id  # type: ignore[attr-defined]
        held = names.get(name)
        if held is None:
            continue
        alone = not isinstance(held, Tensor) or _does_nothing_else(loop.body, frozenset(names))
        if alone and _is_made(reader, assign.value, held) and not _is_read(reader, loop, assign, name):
            reader.emit(Kind.DISCARD, assign, call=reader.text(assign), what=name, of="rebound")


def _bound(target: ast.expr, item: Value | None) -> Iterator[tuple[str, Value]]:
    """The names of a loop that stand for layers, weights or tensors."""
    if isinstance(target, (ast.Tuple, ast.List)) and isinstance(item, Sequence) and len(item.items) == len(target.elts):
        for part, value in zip(target.elts, item.items):
            yield from _bound(part, value)
    elif isinstance(target, ast.Name) and (isinstance(item, (Weights, Tensor)) or (isinstance(item, Instance) and item.role == "module")):
        yield target.id, item


def _rebinds(loop: ast.For | ast.AsyncFor) -> list[ast.Assign]:
    """The assignments to the names of a loop in its turns, outside of the loops and functions inside it; looked for once."""
    known: list[ast.Assign] | None = loop.__dict__.get("rebinds")
    if known is None:
        names = {part.id for part in scopes.parts_of(loop.target) if isinstance(part, ast.Name)}
        own = (part for line in loop.body for part in _own(line) if isinstance(part, ast.Assign) and len(part.targets) == 1)
        known = loop.__dict__["rebinds"] = [part for part in own if getattr(part.targets[0], "id", None) in names]
    return known


def _own(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement, and those in the arms of branches and the bodies of `with` and `try` below it."""
    if isinstance(statement, (*LOOPS, *CLOSED)):
        return
    yield statement
    for name in ("body", "orelse", "handlers", "finalbody"):
        for inner in getattr(statement, name, ()):
            if isinstance(inner, ast.ExceptHandler):
                for line in inner.body:
                    yield from _own(line)
            else:
                yield from _own(inner)


def _does_nothing_else(body: list[ast.stmt], names: frozenset[str]) -> bool:
    """True where a turn only asks, and gives these names other values."""
    for line in body:
        if isinstance(line, ast.If):
            if not _does_nothing_else([*line.body, *line.orelse], names):
                return False
        elif not isinstance(line, ast.Pass) and not (isinstance(line, ast.Assign) and all(getattr(one, "id", None) in names for one in line.targets)):
            return False
    return True


def _is_made(reader: Reader, node: ast.expr, held: Value) -> bool:
    """True for what is computed and changes nothing: another layer or a class of layers, other weights, the same tensor elsewhere."""
    if isinstance(held, Instance):
        called = node.func if isinstance(node, ast.Call) else node
        library = library_name(reader.frame, called)
        own = isinstance(called, (ast.Name, ast.Attribute)) and isinstance(conditions.peek(reader, called), Class)
        return own or (library.startswith("torch.nn.") and library.rpartition(".")[2][:1].isupper())
    return not isinstance(node, (ast.Name, ast.Attribute, ast.Constant)) and _is_pure(reader, node)


def _is_pure(reader: Reader, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and node.func.attr in PURE_METHODS and _is_pure(reader, node.func.value)
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg != "out")]
        outs = any(keyword.arg in ("out", "inplace") for keyword in node.keywords)
        return (method or library_name(reader.frame, node.func) in MADE) and not outs and all(_is_pure(reader, part) for part in given)
    parts = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
    return isinstance(node, PLAIN) and all(_is_pure(reader, part) for part in parts)


def _is_read(reader: Reader, loop: ast.For | ast.AsyncFor, assign: ast.Assign, name: str) -> bool:
    """True where something may ask for the new value: behind it in the turn, or outside of every loop that binds the name itself."""
    after = (assign.end_lineno or 0, assign.end_col_offset or 0)
    inside = [part for part in ast.walk(loop) if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)]
    if any((part.lineno, part.col_offset) >= after for part in inside):
        return True
    frame = reader.frame
    around = frame.function.node if frame.function is not None else frame.module.tree
    if frame.home(name) is not frame.names or isinstance(around, ast.Lambda):
        return True
    return _asks(around, name) or any(way in frame.module.text for way in ("locals(", "globals(", "vars("))


def _asks(node: ast.AST, name: str) -> bool:
    """True where a name is asked for outside of loops and comprehensions that bind it."""
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Load)
    if isinstance(node, (ast.For, ast.AsyncFor)) and _binds(node.target, name):
        return _asks(node.iter, name) or any(_asks(line, name) for line in node.orelse)
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)) and any(_binds(one.target, name) for one in node.generators):
        return False
    return any(_asks(inner, name) for inner in ast.iter_child_nodes(node))


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in scopes.parts_of(target))
