"""Functions of the project that a library calls, or the command line: handed to a search, a pool or a launcher, or named by an option."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.read.python import classes, prospect
from advisor.read.python.values import Arguments, Bound, Class, Function, Instance, Partial, Value

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
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


def judge(call: LibraryCall, name: str, position: int) -> None:
    """Notes a library that is to call a function, and is given what the function returned: `Process(target=train())`."""
    reader, node = call.reader, call.node
    if not isinstance(node, ast.Call) or reader.refusals.guarded or not call.arguments.exact:
        return
    plain = not any(isinstance(one, ast.Starred) for one in node.args)
    by_position = node.args[position] if plain and position < len(node.args) else None
    written = next((keyword.value for keyword in node.keywords if keyword.arg == name), by_position)
    if not isinstance(written, ast.Call) or not isinstance(written.func, ast.Name):
        return
    function = reader.evaluate(written.func)
    if isinstance(function, Function) and not isinstance(function.node, (ast.Lambda, ast.AsyncFunctionDef)) and _returns_nothing(function.node):
        fact = RefusedCall(reader.place(written), callee=call.name.rpartition(".")[2], defined=function.module.place(function.node))
        fact.result_of = function.name
        reader.refusals.note_once(reader, fact)


def _returns_nothing(node: ast.FunctionDef) -> bool:
    """True for a function that gives None, whatever way it goes."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)) or (isinstance(inner, ast.Return) and inner.value is not None):
            return False
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(inner)
    return not node.decorator_list


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
