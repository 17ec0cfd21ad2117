"""Names in functions of the project that only a library calls, and that are not entered: a collator, a metric, a hook of a trainer."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from advisor.read.python import classes, scopes, unbound
from advisor.read.python.values import Arguments, Bound, Class, Function, Instance, Partial, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

CALLS_NOTHING = ("copy.", "pickle.", "inspect.", "json.", "dataclasses.", "typing.", "types.", "logging.")  # take an object for what it is
CALLING = frozenset(["map", "filter", "sorted", "min", "max", "reduce", "iter"])  # of the built-in functions
BUILTIN = "builtins."
CALLABLE = frozenset({Function, Bound, Partial, Instance})
LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
MOST_LOOKED = 24  # functions that one may lead to


def handed(reader: Reader, name: str, arguments: Arguments) -> None:
    """Looks through the functions among the arguments of a library, which will call them."""
    if reader.importing:
        return
    for value in (*arguments.positional, *arguments.keywords.values()):
        if type(value) in CALLABLE and (not isinstance(value, Instance) or (value.role is None and value.cls is not None)):
            if name.startswith(CALLS_NOTHING) or (name.startswith(BUILTIN) and name[len(BUILTIN) :] not in CALLING):
                return
            function = _called(reader, value)
            if function is not None:
                _look(reader, function)


def hooks(reader: Reader, owner: Value | None, names: Collection[str] = (), prefixes: tuple[str, ...] = ()) -> None:
    """Looks through the methods by which a library runs an object of the project: those of these names, and what begins so."""
    if reader.importing or not isinstance(owner, Instance) or owner.cls is None:
        return
    for base in owner.cls.mro or (owner.cls,):
        for name, method in [*base.namespace.items()] if isinstance(base, Class) else ():
            if isinstance(method, Function) and (name in names or name.startswith(prefixes)):
                if classes.class_lookup(reader, owner.cls, name) is method:
                    _look(reader, method)


def _called(reader: Reader, value: Value) -> Function | None:
    while isinstance(value, Partial):
        value = value.function
    if isinstance(value, Instance) and value.cls is not None:
        found = classes.class_lookup(reader, value.cls, "__call__")
    else:
        found = value.function if isinstance(value, Bound) else value
    return found if isinstance(found, Function) else None


def _look(reader: Reader, first: Function) -> None:
    """Judges the names in what a function does, and in the functions and methods of its own that it calls."""
    looked, waiting = reader.refusals.looked, [first]
    if reader.refusals.guarded:
        return
    for function in waiting:
        node = function.node
        if node in looked or isinstance(node, ast.Lambda) or node in reader.entered or len(waiting) > MOST_LOOKED:
            continue
        looked.add(node)
        own = node.args.args[0].arg if function.owner is not None and function.kind == "plain" and node.args.args else ""
        names, called = _asked(node, own)
        for name in names:
            if function.closure is None or function.closure.lookup(name.id) is None:
                unbound.judge_name(reader, name, function.module)
        for one in called:
            waiting += _followed(reader, function, one)


def _asked(node: ast.FunctionDef | ast.AsyncFunctionDef, own: str) -> tuple[list[ast.Name], list[ast.Name | ast.Attribute]]:
    """The names from outside that a function asks for, and what it calls by such names and of its own object, collected once."""
    known: tuple[list[ast.Name], list[ast.Name | ast.Attribute]] | None = node.__dict__.get("asked_outside")
    if known is None:
        bound = scopes.bound_within(node)
        names: list[ast.Name] = []
        called: list[ast.Name | ast.Attribute] = []
        parts: list[ast.AST] = []
        _parts(node.body, bound - {own}, parts)
        for part in parts:
            if isinstance(part, ast.Name):
                if isinstance(part.ctx, ast.Load) and part.id not in bound and not hasattr(builtins, part.id):
                    names.append(part)
            elif isinstance(part, ast.Call):
                function = part.func
                method = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == own
                if isinstance(function, (ast.Name, ast.Attribute)) and (method or (isinstance(function, ast.Name) and function.id not in bound)):
                    called.append(function)
        known = node.__dict__["asked_outside"] = names, called
    return known


def _followed(reader: Reader, function: Function, called: ast.Name | ast.Attribute) -> list[Function]:
    """The function of the project that a call by a plain name, or of a method of its own, surely means."""
    found: Value | None = None
    if isinstance(called, ast.Name):
        found = function.closure.lookup(called.id) if function.closure is not None else None
    elif function.owner is not None:
        found = classes.class_lookup(reader, function.owner, called.attr)
    return [found] if isinstance(found, Function) else []


def _parts(body: Iterable[ast.stmt], local: frozenset[str], found: list[ast.AST]) -> None:
    """Adds the parts of a body that data may lead to: not what follows on its end, stands in a try, or depends on a switch."""
    for statement in body:
        _inside(statement, local, found)
        if isinstance(statement, LEAVING):
            return


def _inside(node: ast.AST, local: frozenset[str], found: list[ast.AST]) -> None:
    found.append(node)
    kind = type(node)
    if kind is ast.Name or kind is ast.Constant or kind is ast.Try or kind in OWN_SCOPE:
        return
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        _inside(node.test, local, found)
        if not any(isinstance(part, ast.Name) and part.id in local for part in scopes.parts_of(node.test)):
            return
        if isinstance(node, ast.IfExp):
            _inside(node.body, local, found)
            _inside(node.orelse, local, found)
            return
        _parts(node.body, local, found)
        _parts(node.orelse, local, found)
    elif isinstance(node, ast.BoolOp):
        _inside(node.values[0], local, found)
    else:
        for name in scopes.inside(kind):
            value = getattr(node, name, None)
            if isinstance(value, list):
                if name in ("body", "orelse"):
                    _parts(value, local, found)
                else:
                    for inner in value:
                        if inner is not None:
                            _inside(inner, local, found)
            elif value is not None and name not in ("annotation", "returns"):
                _inside(value, local, found)
