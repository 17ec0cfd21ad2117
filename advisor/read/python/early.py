"""Names that a piece of code asks for ahead of the line that binds them, where no turn of a loop can have bound them before."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.recipe import UndefinedName
from advisor.model.record import dataclass
from advisor.read.python.one_way import STRAIGHT
from advisor.read.python.refusals import under
from advisor.read.python.values import Function

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
OTHERWISE = (ast.Global, ast.Nonlocal, ast.MatchAs, ast.MatchStar, ast.MatchMapping, ast.Try)  # what binds a name in its own way, or catches
BRINGING = ("globals()", "exec(", "import *", "__dict__", "vars()", "global ")  # ways to bind a name of a file that no assignment shows
OUTER = frozenset(dir(builtins))

Position = tuple[int, int]
Around = tuple[ast.AST, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a scope asks for a name and binds it: the position from which it is bound, and what stands around each, from the scope inwards."""

    asked: list[tuple[ast.expr, Around]]
    bound: list[tuple[Position, Around]]


def judge_use(reader: Reader, node: ast.Name) -> None:
    """Notes a name that was not found and that its scope binds further below alone."""
    if reader.refusals.guarded or reader.frame.is_class or node.id.startswith("__"):  # `__path__ = extend_path(__path__, __name__)`
        return
    found = _ahead(reader, node.id)
    for use, _, line in found:
        if _start(use) == _start(node):
            _note(reader, use, node.id, line, of_own=line == use.lineno and reader.frame.function is not None)
            found.clear()  # one tells of all
            return


def judge_binding(reader: Reader, target: ast.Name, node: ast.AST) -> None:
    """Notes where a function asks for a name of the file, or of Python, that it makes a name of its own in that statement or further below."""
    frame, name = reader.frame, target.id
    if frame.function is None or frame.is_class or reader.refusals.guarded or not (name in frame.module.namespace or name in OUTER):
        return
    found = _ahead(reader, name)
    for use, around, line in found:
        if _start(node) <= _start(use) < _end(node) or all(isinstance(part, STRAIGHT) for part in around):
            _note(reader, use, name, line, of_own=True)
            found.clear()
            return


def _note(reader: Reader, use: ast.expr, name: str, line: int, of_own: bool) -> None:
    fact = UndefinedName(reader.place(use), name=name, bound_below=line, of_own=of_own)
    under(reader, fact)
    reader.recipe.undefined_names.items.append(fact)


def _ahead(reader: Reader, name: str) -> list[tuple[ast.expr, Around, int]]:
    """Where the scope at hand surely asks for a name that nothing has bound by then, with the line that is first to."""
    frame = reader.frame
    scope = frame.module.tree if frame.function is None else frame.function.node if isinstance(frame.function, Function) else None
    if scope is None or isinstance(scope, ast.Lambda):
        return []
    if isinstance(scope, ast.Module):
        if frame.module.cells is not None or any(way in frame.module.text for way in BRINGING):
            return []
    elif any(part.arg == name for part in ast.walk(scope.args) if isinstance(part, ast.arg)):
        return []
    known = reader.refusals.early.get((scope, name))
    if known is None:
        known = reader.refusals.early[scope, name] = list(_found(scope, name))
    return known


def _found(scope: ast.AST, name: str) -> Iterator[tuple[ast.expr, Around, int]]:
    uses = _uses(scope, name)
    if uses is None or not uses.bound:
        return
    first = min(position for position, _ in uses.bound)
    for use, around in sorted(uses.asked, key=lambda asked: _start(asked[0])):
        if _start(use) < first and not _is_placeholder(use, around, name) and all(_goes_ahead(around, others) for _, others in uses.bound):
            yield use, around, first[0]


def _is_placeholder(use: ast.expr, around: Around, name: str) -> bool:
    """True for `data = {data}`, a set of nothing but what it is bound to: the line of a template, which is filled in before anybody runs it."""
    if len(around) < 2 or not isinstance(around[-1], ast.Set) or around[-1].elts != [use]:
        return False
    bound = around[-2].targets if isinstance(around[-2], ast.Assign) else [around[-2].target] if isinstance(around[-2], ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in bound)


def _goes_ahead(around: Around, others: Around) -> bool:
    """True where no turn of a loop comes to the binding (the one that others stand around) without coming to the use first."""
    shared = [part for part, other in zip(around, others) if part is other]
    if not any(isinstance(part, LOOPS) for part in shared):
        return True
    apart, last = around[len(shared) :], shared[-1]
    if isinstance(last, ast.If) and not any({*apart[:1], *others[len(shared) :][:1]} <= {*arm} for arm in (last.body, last.orelse)):
        return False
    return all(isinstance(part, STRAIGHT) and not isinstance(part, LOOPS) for part in apart)


def _uses(scope: ast.AST, name: str) -> Uses | None:
    """None where it may be bound in other ways than the ones that are looked for."""
    uses = Uses([], [])
    waiting: list[tuple[ast.AST, Around, Position | None]] = [(line, (), None) for line in getattr(scope, "body", ())]
    while waiting:
        node, around, until = waiting.pop()
        if isinstance(node, ast.Name):
            if node.id != name:
                continue
            if isinstance(node.ctx, ast.Del):
                return None
            if isinstance(node.ctx, ast.Load):
                uses.asked.append((node, around))
            else:
                uses.bound.append((until or _start(node), around))
                if around and isinstance(around[-1], ast.AugAssign):
                    uses.asked.append((node, around))
            continue
        if isinstance(node, OTHERWISE) and name in _own_way(node):
            return None
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            uses.bound.extend((_start(node), around) for alias in node.names if (alias.asname or alias.name.partition(".")[0]) == name)
        elif isinstance(node, SCOPES):
            if name == getattr(node, "name", None):
                uses.bound.append((_start(node), around))
            if any(isinstance(part, ast.Nonlocal) and name in part.names for part in ast.walk(node)):
                return None
            continue
        elif isinstance(node, COMPREHENSIONS):
            if any(isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load) for part in ast.walk(node)):
                return None
            if isinstance(node, ast.GeneratorExp):
                continue  # what asks for its values comes later
        if isinstance(node, ast.AnnAssign):
            if node.value is None and isinstance(node.target, ast.Name) and node.target.id == name:
                return None
            waiting += [(part, (*around, node), _end(node)) for part in (node.target, node.value) if part is not None]
            continue
        ends = _end(node) if isinstance(node, (ast.Assign, ast.AugAssign, ast.NamedExpr)) else until if not isinstance(node, ast.stmt) else None
        for part in ast.iter_child_nodes(node):
            waiting.append((part, (*around, node), _end(node.iter) if isinstance(node, (ast.For, ast.AsyncFor)) and part is node.target else ends))
    return uses


def _own_way(node: ast.AST) -> set[str | None]:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return {*node.names}
    if isinstance(node, ast.Try):
        return {handler.name for handler in node.handlers}
    return {getattr(node, "name", None), getattr(node, "rest", None)}


def _start(node: ast.AST) -> Position:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> Position:
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0
