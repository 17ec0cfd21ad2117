"""Functions of the project that a program hands to a library: a search, a pool of processes or a launcher calls them, and with what is not known."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.read.python import classes, prospect
from advisor.read.python.values import Arguments, Bound, Function, Instance, Partial, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


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
