"""Packages that import what is in them when it is asked for: `if TYPE_CHECKING: from .nets import UNet`, `else: sys.modules[__name__] = ...`.

A library may have a thousand files under such a package. A program is read with those whose names it asks for, as it runs with them.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Library, Module, Value

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

FOR_TYPES = frozenset({"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"})


def is_for_types(value: Value | None) -> bool:
    """True for what only a type checker finds true."""
    return isinstance(value, Library) and value.name in FOR_TYPES


def note(reader: Reader, node: ast.If) -> bool:
    """Whether an `if` at the top of a file holds the imports that the file makes later; they are noted with the file."""
    frame = reader.frame
    if frame.function is not None or frame.names is not frame.module.namespace:
        return False
    tests = node.test.values if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.Or) else [node.test]
    if not any(library_name(frame, test) in FOR_TYPES for test in tests) or not (_replaces(frame, node.orelse) or _looks_up(frame.module)):
        return False
    found = [part for statement in node.body for part in ast.walk(statement) if isinstance(part, ast.ImportFrom)]
    frame.module.deferred = (*frame.module.deferred, *found)
    return True


def _replaces(frame: Frame, arm: list[ast.stmt]) -> bool:
    """True for `sys.modules[__name__] = ...` in an arm, which may import sys itself."""
    imported = {alias.asname or alias.name for part in arm if isinstance(part, ast.Import) for alias in part.names if alias.name == "sys"}
    for part in arm:
        target = part.targets[0] if isinstance(part, ast.Assign) else None
        owner = target.value if isinstance(target, ast.Subscript) else None
        if isinstance(owner, ast.Attribute) and owner.attr == "modules" and isinstance(owner.value, ast.Name):
            if owner.value.id in imported or library_name(frame, owner.value) == "sys":
                return True
    return False


def _looks_up(source: SourceModule) -> bool:
    """True for a file with a `__getattr__` of its own, which is asked for what the file does not bind."""
    return any(isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__" for statement in source.tree.body)


def member(reader: Reader, source: SourceModule, name: str) -> Value | None:
    """What a file binds to a name, by an import that is made when the name is asked for too."""
    value = source.namespace.get(name)
    held = source.deferred
    if value is not None or not held:
        return value
    plain = [statement for statement in held if any((alias.asname or alias.name) == name for alias in statement.names)]
    for statement in plain or [statement for statement in held if statement.names[0].name == "*"]:
        source.deferred = tuple(other for other in held if other is not statement)  # it may ask for the name itself
        try:
            value = _imported(reader, source, statement, name)
        finally:
            source.deferred = held
        if value is not None:
            return value
    return None


def _imported(reader: Reader, source: SourceModule, statement: ast.ImportFrom, name: str) -> Value | None:
    """What one of its imports gives."""
    from advisor.read.python import imports  # which asks for members itself

    names: dict[str, Value] = {}
    outer = reader.frame
    reader.frame = Frame(source, names)
    reader.refusals.guarded += 1  # which of them are made is not seen: nothing fails in them
    try:
        if statement.names[0].name != "*":
            aliases = [alias for alias in statement.names if (alias.asname or alias.name) == name]
            imports.run_import_from(reader, ast.copy_location(ast.ImportFrom(statement.module, aliases, statement.level), statement))
            return names.get(name)
        found, _, _ = imports.module_of(reader, statement)
        return member(reader, found.source, name) if isinstance(found, Module) else None
    finally:
        reader.refusals.guarded -= 1
        reader.frame = outer
