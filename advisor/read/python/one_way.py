"""Names that are bound only where an option is given that is off by default, and asked for whether it is or not."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.recipe import UndefinedName
from advisor.read.python import scopes
from advisor.read.python.unbound import FROM_OUTSIDE, HIDDEN
from advisor.read.python.values import Constant, Function, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

STRAIGHT = (  # what is evaluated whenever what it stands in is
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.For, ast.With, ast.withitem,
    ast.Call, ast.Attribute, ast.keyword, ast.Tuple, ast.List, ast.Subscript, ast.BinOp, ast.Starred, ast.JoinedStr, ast.FormattedValue,
)  # fmt: skip
ENDS = (ast.Raise, ast.Return, ast.Assert)


def judge(reader: Reader, node: ast.If, test: Value) -> None:
    """Notes the first use of a name that `if args.cuda:` alone binds, where nothing else in its scope does and the option is off by default."""
    off = isinstance(test, Constant) and test.value is False and test.weak and bool(test.origin) and isinstance(node.test, ast.Attribute)
    if not off or node.orelse or reader.loop_depth or reader.conditions or reader.refusals.guarded or reader.frame.module.cells is not None:
        return
    function = reader.frame.function
    scope = function.node if isinstance(function, Function) else reader.frame.module.tree
    if isinstance(scope, ast.Lambda):
        return
    names = {target.id for line in node.body if isinstance(line, ast.Assign) for target in line.targets if isinstance(target, ast.Name)}
    names = {name for name in names - FROM_OUTSIDE if not hasattr(builtins, name) and reader.frame.lookup(name) is None}
    uses = [use for use in _always_asked(_behind(scope, node)) if use.id in names] if names else []
    if not uses or _ends_without(scope, node) or any(way in reader.frame.module.text for way in HIDDEN):
        return
    inside = {id(part) for line in node.body for part in scopes.parts_of(line)}
    for line in reader.frame.module.tree.body:
        text = "\n".join(reader.frame.module.lines[line.lineno - 1 : line.end_lineno])
        if any(name in text for name in names):
            names -= {name for part in scopes.parts_of(line) if id(part) not in inside for name in _bound(part)}
    for use in uses:
        if use.id in names:
            names.discard(use.id)
            fact = UndefinedName(reader.place(use), name=use.id, bound_if=reader.text(node.test))
            reader.recipe.undefined_names.items.append(fact)


def _behind(scope: ast.AST, node: ast.If) -> list[ast.stmt]:
    """The statements that follow upon one in the same block."""
    for part in (scope, *scopes.statements(scope.body)):  # type: ignore[attr-defined]
        for block in (part.__dict__.get(name) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and node in block:
                return block[block.index(node) + 1 :]
    return []


def _ends_without(scope: ast.AST, node: ast.If) -> bool:
    """True where another test of the same option may end the run, or return."""
    asked = ast.unparse(node.test)
    for part in scopes.parts_of(scope):
        if part is node:
            continue
        if isinstance(part, ast.Assert) and asked in ast.unparse(part.test):
            return True
        if isinstance(part, ast.If) and asked in ast.unparse(part.test):
            if any(isinstance(inner, ENDS) or "exit(" in ast.unparse(inner) for line in (*part.body, *part.orelse) for inner in ast.walk(line)):
                return True
    return False


def _bound(part: ast.AST) -> Iterable[str]:
    return part.names if isinstance(part, (ast.Global, ast.Nonlocal)) else scopes.bound_by(part)


def _always_asked(body: list[ast.stmt]) -> Iterator[ast.Name]:
    """The names that the statements of a body ask for whatever holds, in order."""
    for line in body:
        waiting: list[ast.AST] = [line]
        while waiting:
            part = waiting.pop(0)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                yield part
            elif isinstance(part, STRAIGHT):
                waiting = [*ast.iter_child_nodes(part), *waiting]
