"""A module that a class keeps in a list of one, so that it is no part of it: a pretrained network that is not to be trained or saved, a teacher."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from advisor.model.kinds import starts_random
from advisor.model.recipe import Module
from advisor.read.python.values import Class


def is_boxed(cls: Class, attribute: str, part: Module) -> bool:
    """True where the list is only ever made of one name and its one item taken out again, and the class does not draw the weights itself."""
    return (not starts_random(part.pretrained) or not _makes(cls, part)) and _one_in_one_out(cls, attribute)


def _makes(cls: Class, part: Module) -> bool:
    return part.place.file == cls.module.display and cls.node.lineno <= cls.module.row(part.place) <= (cls.node.end_lineno or 0)


def _one_in_one_out(cls: Class, attribute: str) -> bool:
    met, taken = 0, 0
    for base in cls.mro:
        for node in ast.walk(base.node) if isinstance(base, Class) else ():
            met += isinstance(node, ast.Attribute) and node.attr == attribute
            taken += sum(isinstance(held, ast.Attribute) and held.attr == attribute for held in _taken(node))
    return met == taken


def _taken(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in `... = [name]`, `name, = ...` and `...[0]`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if _of_one(node.value):
            yield target
        elif _of_one(target):
            yield node.value
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
        yield node.value


def _of_one(node: ast.AST) -> bool:
    return isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Name)
