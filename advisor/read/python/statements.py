"""Statements: what each kind does to the store and the event tree, and how it leaves."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Arm, Branch, Exit
from advisor.model.source import Known
from advisor.read.python import (
    assignment,
    attributes,
    branching,
    classes,
    discards,
    functions,
    imports,
    lifetimes,
    loops,
    narrowing,
    regions,
)
from advisor.read.python.frames import Frame
from advisor.read.python.release import cut_apart
from advisor.read.python.values import (
    NONE,
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Mapping,
    Module,
    Sequence,
    Value,
    members,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


LEAVING = ("return", "break", "continue", "raise")


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


def run_expression(reader: Reader, node: ast.Expr) -> str | None:
    """An expression statement. A call whose result is thrown away is noted when nothing else comes of it."""
    value = node.value
    if isinstance(value, ast.Constant):
        return None
    before, block, start = reader.leaves, reader.block, len(reader.block)
    result = reader.evaluate(value)
    if len(block) > start:
        discards.shown(reader, value, block[start:])
    if isinstance(value, ast.Call) and isinstance(value.func, (ast.Attribute, ast.Name)):
        if reader.leaves == before:
            discards.discarded(reader, value, result)
        else:
            discards.computed_in_vain(reader, value, result, block[start:])
    if reader.frame.returns and reader.frame.returns[-1] is EXIT:
        reader.frame.returns.pop()
        reader.block.append(Exit(reader.place(node), "exit"))
        return "raise"
    return None


EXIT = Constant("exit")


def _leave(reader: Reader, node: ast.AST, what: str) -> str:
    reader.block.append(Exit(reader.place(node), what))  # type: ignore[arg-type]
    return what


def run_return(reader: Reader, node: ast.Return) -> str | None:
    """return"""
    value = reader.evaluate(node.value) if node.value is not None else NONE
    frame = reader.frame
    flagged = any(label == "flag" for _, label in reader.conditions[frame.arms :])
    (frame.flagged if flagged else frame.returns).append(value)
    if isinstance(node.value, ast.Compare) and reader.strong_truth(value) is None:  # as `if ...: return True` would, `else: return False`
        place = reader.place(node)
        answers = [Arm("unknown" if held else "else", [Exit(place, "return", Known(held))], held) for held in (True, False)]
        condition = reader.condition(node.value, value)
        reader.block.append(Branch(place, condition, answers))
        reader.leaves += int(condition.variable is not None and condition.right_variable is not None)  # a counter and its limit, say
        return "return"
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


def run_function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """def"""
    value = functions.make_function(reader, node)
    reader.store.write(reader.frame.home(node.name), node.name, value)
    return None


def run_class(reader: Reader, node: ast.ClassDef) -> str | None:
    """class: its body in a frame of its own, its decorators applied."""
    bases = tuple(reader.evaluate(base) for base in node.bases if not isinstance(base, ast.Starred))
    outer = reader.frame
    namespace: dict[str, Value] = {}
    outer.capture(cut_apart(reader))
    cls = Class(node, outer.module, bases, namespace, outer)
    cls.keywords = {k.arg: reader.evaluate(k.value) for k in node.keywords if k.arg}
    cls.mro = classes.linearise(cls)
    frame = Frame(outer.module, namespace, outer, owner=cls, is_class=True)
    cut_apart(reader).append(frame)
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
        result = functions.decorate(reader, result, decorator)
    reader.store.write(outer.home(node.name), node.name, result)
    return None


def run_delete(reader: Reader, node: ast.Delete) -> str | None:
    """del"""
    for target in node.targets:
        if isinstance(target, ast.Name):
            reader.store.delete(reader.frame.home(target.id), target.id)
        elif isinstance(target, ast.Attribute):
            holder = reader.evaluate(target.value)
            if isinstance(holder, Instance):
                attributes.forget(holder, target.attr)
        elif isinstance(target, ast.Subscript):
            owner = reader.evaluate(target.value)
            if isinstance(owner, Sequence):
                lifetimes.shortened(reader, owner, node)
                index = reader.evaluate(target.slice)
                at = index.value if isinstance(index, Constant) else None
                if owner.exact and type(at) is int and -len(owner.items) <= at < len(owner.items):
                    gone = at % len(owner.items)
                    reader.store.write(owner.state, "items", (*owner.items[:gone], *owner.items[gone + 1 :]))
                else:
                    reader.store.write(owner.state, "exact", False)
                    reader.store.write(owner.state, "counted", None)
            elif isinstance(owner, Mapping):
                index = reader.evaluate(target.slice)
                if isinstance(index, Constant) and index.value in owner.items:
                    reader.store.write(owner.state, "items", {k: v for k, v in owner.items.items() if k != index.value})
    return None


def run_assert(reader: Reader, node: ast.Assert) -> str | None:
    """assert: what does not hold ends the program, as `if not ...: raise` would."""
    value = reader.evaluate(node.test)
    if reader.strong_truth(value) is None:
        arms = [Arm("unknown", taken_when=True), Arm("else", [Exit(reader.place(node), "raise")], False)]
        reader.block.append(Branch(reader.place(node), reader.condition(node.test, value), arms))
    narrowing.stay_narrowed(reader, narrowing.narrow(reader, node.test, True), ended=True)
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
    ast.Assign: assignment.run_assign,
    ast.AnnAssign: assignment.run_annotated,
    ast.AugAssign: assignment.run_augmented,
    ast.Expr: run_expression,
    ast.If: branching.run_if,
    ast.For: loops.run_for,
    ast.AsyncFor: loops.run_for,
    ast.While: loops.run_while,
    ast.Return: run_return,
    ast.Break: run_break,
    ast.Continue: run_continue,
    ast.Raise: run_raise,
    ast.Try: branching.run_try,
    ast.With: regions.run_with,
    ast.AsyncWith: regions.run_with,
    ast.FunctionDef: run_function,
    ast.AsyncFunctionDef: run_function,
    ast.ClassDef: run_class,
    ast.Delete: run_delete,
    ast.Assert: run_assert,
    ast.Import: run_import,
    ast.ImportFrom: run_import_from,
    ast.Match: branching.run_match,
}


if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = branching.run_try


__all__ = ["Bound", "Module", "members", "run"]
