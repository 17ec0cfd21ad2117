"""importlib and names as text: what a dotted name means in this program."""

from __future__ import annotations

import ast

from advisor.read.frameworks import table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Library, Module, Opaque, Value


def object_named(reader: Reader, name: str, node: ast.AST) -> Value:
    """The class, function or module of a dotted name: of a project file when there is one, else of a library."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return Opaque(f"the name {name!r}")
    for length in range(len(parts), 0, -1):
        head = ".".join(parts[:length])
        if reader.project.find(head, reader.frame.module.path) is None:
            continue
        value = reader.import_module(head, node)
        for part in parts[length:]:
            value = reader.attribute(value, part, node)
        if isinstance(value, Module) and length < len(parts):
            continue
        return value
    if len(parts) == 1:
        return Opaque(f"the name {name!r}")
    return Library(table.canonical(name))


@table.function("importlib.import_module")
def import_module(call: LibraryCall) -> Value:
    """import_module("models.resnet"): relative names start at `package`."""
    name = text_of(call.get("name", 0))
    if name is None:
        return Opaque("a module whose name is not known")
    if name.startswith("."):
        package = text_of(call.get("package", 1)) or call.reader.frame.module.name.rpartition(".")[0]
        name = f"{package}{name}" if package else name.lstrip(".")
    return call.reader.import_module(name, call.node)


@table.function("pydoc.locate")
def locate(call: LibraryCall) -> Value:
    """locate("torch.optim.Adam")"""
    name = text_of(call.get("path", 0))
    return object_named(call.reader, name, call.node) if name is not None else Opaque("an object whose name is not known")


@table.function("importlib.reload")
def reload(call: LibraryCall) -> Value:
    """reload(module)"""
    return call.arguments.positional[0] if call.arguments.positional else NONE


@table.prefix("importlib")
def other(call: LibraryCall) -> Value:
    """Specs, loaders, resources, versions."""
    return Opaque(f"result of `{call.name}`")
