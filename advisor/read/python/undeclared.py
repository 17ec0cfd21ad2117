"""Options that a program asks for and that no parser of it declares: argparse gives its namespace no such attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import UndefinedName
from advisor.read.python import lacking
from advisor.read.python.values import Instance, Value

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader

HELD = ("argument-parser", "namespace")
BY_TEXT = pattern(r"\bsetattr\(|\.__dict__|__setattr__|\bvars\([^()]*\)\s*[.\[|]|=\s*vars\(")  # ways to give a namespace what no assignment shows


def hand_on(values: Iterable[Value]) -> None:
    """Notes that something which was not read has a parser or its options: it may add others."""
    for value in values:
        if type(value) is Instance and value.role in HELD:
            value.data["handed"] = True


def note_declared(call: LibraryCall, given: Instance) -> None:
    """Notes that the options of this namespace are all there are."""
    parser = call.this
    if parser.kind == "argparse.ArgumentParser" and parser.cls is None and not parser.data.get("handed") and "inexact" not in given.data:
        given.data["of"] = parser


def judge(reader: Reader, owner: Instance, name: str, node: ast.AST) -> None:
    """Notes an option that is asked for on every way and that the parser of these lacks."""
    parser = owner.data.get("of")
    if not isinstance(parser, Instance) or not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load) or name.startswith("_"):
        return
    if reader.refusals.guarded or reader.frame.module.cells is not None or any(label != "default" for _, label in reader.conditions):
        return
    fact = UndefinedName(reader.place(node), name=name, option=True)
    reader.refusals.options.setdefault(name, (fact, owner))


def note(reader: Reader) -> None:
    """Puts them into the recipe, where nothing that was not read had the options and no file sets one of that name."""
    asked = reader.refusals.options
    if not asked or any(BY_TEXT.search(source.text) for source in reader.modules.values()):
        return
    for name, (fact, owner) in asked.items():
        if not owner.data.get("handed") and not owner.data["of"].data.get("handed") and not lacking.is_bound(reader, name):
            reader.recipe.undefined_names.items.append(fact)
