"""Weights that are kept in memory under a name which nothing reads again: they are kept for nobody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Event, Kind
from advisor.model.pattern import pattern
from advisor.model.recipe import Save
from advisor.read.python import tree
from advisor.read.python.prospect import REMARKS
from advisor.read.python.values import Class

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

NAMES_HIDDEN = pattern(r"(?<![\w.])(locals|globals|eval|exec)\(")  # ways to read a name that no text spells
ATTRIBUTES_HIDDEN = pattern(r"__dict__|(?<![\w.])(vars|eval|exec)\(|getattr\([^,\n]+,\s*(?![\"'\s])")


def leave_out_unread(reader: Reader, nodes: list[tree.Entry]) -> bool:
    """Takes such copies out of the recipe and its tree. True when there were any."""
    kept = [(node, context) for node, context in nodes if isinstance(node, Event) and node.kind is Kind.SAVE and node.data.get("text")]
    if not kept or not reader.recipe.whole or reader.spent:
        return False
    unread = {save for save in {event.subject for event, _ in kept} if isinstance(save, Save) and save.memory == "copy"}
    for event, _ in kept:
        if event.subject in unread and _is_read(reader, event.data["text"], event):
            unread.discard(event.subject)
    for event, context in kept:
        if event.subject in unread:
            body = tree.body_of(context, reader.recipe.tree)
            body[:] = [node for node in body if node is not event]
    reader.recipe.saves.items = [save for save in reader.recipe.saves if save not in unread]
    return bool(unread)


def _is_read(reader: Reader, text: str, event: Event) -> bool:
    """Whether something asks for a name, or for an attribute of any object: not only whether there is anything (`is None`)."""
    name = text.rpartition(".")[2]
    sources = [source for source in reader.modules.values() if name in source.text]
    home = next((source for source in sources if source.display == event.place.file), None)
    if home is None or not name.isidentifier():
        return True
    if name == text:
        scope = _scope(home, event.place.line, name)
        return NAMES_HIDDEN.search(home.text) is not None or any(isinstance(node, ast.Name) for node in _loads(scope, name))
    if any(ATTRIBUTES_HIDDEN.search(source.text) or re.search(rf"[\"']{name}[\"']", source.text) for source in reader.modules.values()):
        return True
    return any(_may_run(reader, source, node) for source in sources for node in _loads(source.tree, name) if isinstance(node, ast.Attribute))


def _scope(source: SourceModule, line: int, name: str) -> ast.AST:
    """The outermost function around a line; the whole file for a name that is the file's."""
    around = _functions_around(source, line)
    if not around or any(name in part.names for part in ast.walk(around[0]) if isinstance(part, ast.Global)):
        return source.tree
    return around[0]


def _functions_around(source: SourceModule, line: int) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that a line stands in, the outermost first."""
    nodes = (node for node in ast.walk(source.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return [node for node in nodes if node.lineno <= line <= (node.end_lineno or 0)]


def _loads(root: ast.AST, name: str) -> Iterator[ast.Name | ast.Attribute]:
    asked: set[ast.AST] = set()
    for node in ast.walk(root):  # what stands around comes first
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            asked.add(node.left)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and node not in asked:
            if (node.id if isinstance(node, ast.Name) else node.attr) == name:
                yield node


def _may_run(reader: Reader, source: SourceModule, node: ast.Attribute) -> bool:
    """False within a function that was not entered and that no text of the program names, but for its definition."""
    return all(
        one in reader.entered or one.name.startswith("__") or _is_named(reader, one.name) or _is_hook(reader, one)
        for one in _functions_around(source, node.lineno)
    )


def _is_named(reader: Reader, name: str) -> bool:
    named = re.compile(rf"(?<!def )\b{name}\b")
    return any(name in source.text and named.search(REMARKS.sub("", source.text)) for source in reader.modules.values())


def _is_hook(reader: Reader, method: ast.AST) -> bool:
    """True for a method of a class that a library may call: it has a base there."""
    owner = next((function.owner for function in reader.functions if function.node is method), None)
    return owner is not None and any(not isinstance(base, Class) and getattr(base, "name", "") != "builtins.object" for base in owner.mro)
