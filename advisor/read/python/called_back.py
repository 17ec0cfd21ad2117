"""Functions of the project that a library calls, or the command line: handed to a search, a pool or a launcher, or named by an option."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.read.python import classes, prospect
from advisor.read.python.values import Arguments, Bound, Class, Function, Instance, Partial, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

MOST_COMMANDS = 6


def enter(reader: Reader, given: list[Value], node: ast.AST, arguments: Arguments | None = None) -> list[Value]:
    """Calls those among the arguments of a library that are whole runs: they build what they train. Gives the others.

    `arguments` are what they are given at least. What is only a step of training is left: the program may call what the library makes of it.
    So is what an imported file hands over, to be kept.
    """
    if reader.importing:
        return given
    rest: list[Value] = []
    for value in given:
        function = target(reader, value)
        if function is None or function.node in reader.active or not prospect.is_run(reader, function.module, function.node):
            rest.append(value)
        elif function.node not in reader.entered:
            known = arguments or Arguments()
            reader.call(value, Arguments(known.positional, known.keywords, exact=False), node)
    return rest


def target(reader: Reader, value: Value | None) -> Function | None:
    """The function of the project that a call of a value enters."""
    while isinstance(value, Partial):
        value = value.function
    if isinstance(value, Bound):
        value = value.function
    elif isinstance(value, Instance) and value.role is None and value.cls is not None:
        value = classes.class_lookup(reader, value.cls, "__call__")
    return value if isinstance(value, Function) else None


def by_option(reader: Reader, node: ast.Call) -> None:
    """`getattr(self, args.command)()`: of the methods that may be called so, each that is a run is an alternative."""
    asked = node.func
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name) or asked.func.id != "getattr" or node.args or node.keywords:
        return
    owner = reader.evaluate(asked.args[0]) if len(asked.args) == 2 and isinstance(asked.args[0], (ast.Name, ast.Attribute)) else None
    if reader.importing or not isinstance(owner, Instance) or owner.role is not None or owner.cls is None:
        return
    methods = {name: value for base in reversed(owner.cls.mro) if isinstance(base, Class) for name, value in base.namespace.items()}
    runs = [
        Bound(owner, name, method)
        for name, method in methods.items()
        if isinstance(method, Function) and method.kind == "plain" and not name.startswith("_") and method.node not in reader.active
        if len(method.node.args.args) == 1 and prospect.is_run(reader, method.module, method.node)
    ]
    if runs:
        reader.branch(node, None, [("unknown", None, lambda one=one: (None, reader.call(one, Arguments(), node))) for one in runs[:MOST_COMMANDS]])
