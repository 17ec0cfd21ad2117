"""operator: operators as functions."""

from __future__ import annotations

import ast

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import operators
from advisor.read.python.values import Arguments, Constant, Opaque, Partial, Value, sequence
from advisor.read.python.values import Library as _Library

_OPERATORS: dict[str, ast.operator] = {
    "add": ast.Add(),
    "iadd": ast.Add(),
    "sub": ast.Sub(),
    "mul": ast.Mult(),
    "truediv": ast.Div(),
    "floordiv": ast.FloorDiv(),
    "mod": ast.Mod(),
    "pow": ast.Pow(),
    "matmul": ast.MatMult(),
}


@table.function(*(f"operator.{name}" for name in _OPERATORS))
def binary(call: LibraryCall) -> Value:
    """operator.add(a, b)"""
    given = call.arguments.positional
    if len(given) != 2:
        return Opaque("an operation")
    return operators.binary(call.reader, _OPERATORS[call.name.rpartition(".")[2]], given[0], given[1], call.node)


@table.function("operator.itemgetter", "operator.attrgetter")
def getter(call: LibraryCall) -> Value:
    """itemgetter("lr"): a function that takes it."""
    return Partial(_Library(f"{call.name}.take"), [sequence(call.arguments.positional, "tuple")], {})


@table.function("operator.itemgetter.take", "operator.attrgetter.take")
def take(call: LibraryCall) -> Value:
    """The item or attribute taken; a tuple of several."""
    taken, owner = call.get("keys", 0), call.get("obj", 1)
    keys = call.reader.items(taken) if taken is not None else None
    if not keys or owner is None:
        return Opaque("what a getter takes")
    found: list[Value] = []
    for key in keys:
        if call.name.startswith("operator.itemgetter"):
            found.append(call.reader.subscript(owner, key, call.node))
        elif isinstance(key, Constant) and isinstance(key.value, str):
            value = owner
            for part in key.value.split("."):
                value = call.reader.attribute(value, part, call.node)
            found.append(value)
    return found[0] if len(found) == 1 else sequence(found, "tuple")


@table.function("operator.getitem")
def getitem(call: LibraryCall) -> Value:
    """getitem(a, i)"""
    given = call.arguments.positional
    return call.reader.subscript(given[0], given[1], call.node) if len(given) == 2 else Opaque("an item")


@table.function("operator.methodcaller")
def methodcaller(call: LibraryCall) -> Value:
    """methodcaller("eval"): a function that calls it."""
    return Partial(_Library("operator.methodcaller.run"), call.arguments.positional[:1], {}, call.arguments.exact)


@table.function("operator.methodcaller.run")
def run(call: LibraryCall) -> Value:
    """The method called."""
    name, owner = call.reader.plain(call.get("name", 0)), call.get("obj", 1)
    if not isinstance(name, str) or owner is None:
        return call.reader.unknown_call(call)
    return call.reader.call(call.reader.attribute(owner, name, call.node), Arguments(), call.node)
