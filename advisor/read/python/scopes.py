"""What a piece of code binds in its own scope, collected once per syntax node."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.record import dataclass

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a piece of code binds: names, attribute names, and whether it yields."""

    names: frozenset[str]
    attributes: frozenset[str]
    yields: bool
    globals: frozenset[str]
    nonlocals: frozenset[str]


# Fields that hold no syntax with names in it: words, operators, contexts.
_BARE = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "asname", "module", "level", "kind", "conversion", "simple", "is_async",
                   "type_comment", "rest", "kwd_attrs", "cls"})  # fmt: skip
_fields: dict[type, tuple[str, ...]] = {ast.Constant: (), ast.MatchSingleton: ()}
if hasattr(ast, "TypeAlias"):
    _fields[ast.TypeAlias] = ("name", "value")


def _inside(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node under which names may be bound."""
    found = _fields.get(kind)
    if found is None:
        found = _fields[kind] = tuple(name for name in kind._fields if name not in _BARE)
    return found


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
        elif kind is ast.Yield or kind is ast.YieldFrom:
            yields = True
        elif kind is ast.Global:
            global_names.update(item.names)  # type: ignore[attr-defined]
        elif kind is ast.Nonlocal:
            nonlocal_names.update(item.names)  # type: ignore[attr-defined]
        for name in _inside(kind):
            held = getattr(item, name)
            if held.__class__ is list:
                stack += [part for part in held if part is not None]
            elif held is not None:
                stack.append(held)
    found = Assigned(frozenset(names), frozenset(attributes), yields, frozenset(global_names), frozenset(nonlocal_names))
    _assigned[id(node)] = (node, found)
    return found


_answers: dict[int, tuple[ast.AST, dict[str, ast.BinOp], frozenset[str]]] = {}


def _answers_of(node: ast.AST) -> tuple[ast.AST, dict[str, ast.BinOp], frozenset[str]]:
    cached = _answers.get(id(node))
    if cached is None or cached[0] is not node:
        found: dict[str, ast.BinOp] = {}
        names: set[str] = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Return) and isinstance(part.value, ast.Name):
                names.add(part.value.id)
            elif isinstance(part, ast.Assign) and isinstance(part.value, ast.BinOp) and isinstance(part.value.op, ast.Sub):
                found.update({target.id: part.value for target in part.targets if isinstance(target, ast.Name)})
        cached = _answers[id(node)] = (node, found, frozenset(names))
    return cached


def differences(node: ast.AST) -> dict[str, ast.BinOp]:
    """The names that a function gives to a difference, each with it: `waited = epoch - best_epoch`."""
    return _answers_of(node)[1]


def returned(node: ast.AST) -> frozenset[str]:
    """The names that a function returns."""
    return _answers_of(node)[2]


_bounds: dict[int, tuple[ast.AST, frozenset[str], frozenset[str]]] = {}


def bounds(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """The expressions, written out, with which slices in a piece of code begin, and those with which they end."""
    cached = _bounds.get(id(node))
    if cached is None or cached[0] is not node:
        slices = [part for part in ast.walk(node) if isinstance(part, ast.Slice)]
        begins = frozenset(ast.dump(part.lower) for part in slices if part.lower is not None)
        ends = frozenset(ast.dump(part.upper) for part in slices if part.upper is not None)
        cached = _bounds[id(node)] = (node, begins, ends)
    return cached[1:]


def forget() -> None:
    """Drops what was collected about syntax trees that are no longer needed."""
    _assigned.clear()
    _answers.clear()
    _bounds.clear()
