"""An if on a setting whose two arms are the same: what the setting was to choose is built either way."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import Hyperparameter
from advisor.model.source import Known
from advisor.read.python import conditions
from advisor.read.python.values import setting

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

PLAIN = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Name, ast.Attribute, ast.Constant, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)


def note(reader: Reader, node: ast.If) -> None:
    """Notes it, once what stands in the arms was read: only what builds a part of the training is worth a word."""
    if len(node.body) != len(node.orelse) or type(node.body[0]) is not type(node.orelse[0]) or reader.frame.module.cells is not None:
        return
    module = reader.frame.module
    if module.lines[node.lineno - 1].lstrip().startswith("elif"):
        return  # the last arm of several is there for what none of them names
    if not _alike([*node.body], [*node.orelse]):
        return
    named = _setting(reader, node.test)
    if named is None or not _builds(reader, node):
        return
    text = module.segment(node.test)
    place = module.place(node.test)
    if all(fact.place != place for fact in reader.recipe.hyperparameters):
        value = Known(text, place=place)
        fact = Hyperparameter(place, name=named, value=value, declared="argument", read=True, overruled="same")
        reader.recipe.hyperparameters.items.append(fact)


def _alike(one: object, other: object) -> bool:
    """True for the same syntax, wherever it stands."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, ast.AST):
        return type(one) is type(other) and all(_alike(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    return type(one) is type(other) and one == other


def _setting(reader: Reader, test: ast.expr) -> str | None:
    """The setting that a plain test asks for; None where it asks for anything else, too."""
    if not all(isinstance(part, PLAIN) for part in ast.walk(test)):
        return None
    asked = [part for part in _operands(test) if not isinstance(part, ast.Constant)]
    held = [setting(conditions.peek(reader, part)) for part in asked]
    if not asked or not all(isinstance(one, Known) and (one.weak or one.origin) for one in held):
        return None
    first = asked[0]
    return first.attr if isinstance(first, ast.Attribute) else first.id if isinstance(first, ast.Name) else None


def _operands(test: ast.expr) -> list[ast.expr]:
    if isinstance(test, ast.BoolOp):
        return [part for value in test.values for part in _operands(value)]
    if isinstance(test, ast.UnaryOp):
        return _operands(test.operand)
    if isinstance(test, ast.Compare):
        return [part for value in (test.left, *test.comparators) for part in _operands(value)]
    return [test]


def _builds(reader: Reader, node: ast.If) -> bool:
    recipe, file = reader.recipe, reader.frame.module.display
    last = node.orelse[-1].end_lineno or node.lineno
    made = (*recipe.optimizers, *recipe.schedulers, *recipe.loaders, *recipe.losses)
    return any(fact.place.file == file and node.lineno < fact.place.line <= last for fact in made)
