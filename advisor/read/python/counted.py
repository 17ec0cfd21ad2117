"""What range() is given that it refuses: floats and texts, and options that are floats as soon as they are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.recipe import Hyperparameter, RefusedCall
from advisor.read.python.values import Constant, Value, setting

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def judge_range(reader: Reader, given: list[Value], node: ast.AST) -> None:
    """Notes what is handed to range() as it is."""
    if not isinstance(node, ast.Call) or reader.refusals.guarded:
        return
    for value in given:
        if not isinstance(value, Constant):
            continue
        if isinstance(value.value, (float, str)) and (not value.weak or value.origin):
            reader.refusals.refuse(reader, node, RefusedCall(reader.place(node), callee="range", counts=setting(value)))
        for option in options(reader, value) if isinstance(value.value, int) else ():
            option.reckoned = True
            if option.type == "float" and option.counts is None and all(label == "default" for _, label in reader.conditions):
                option.counts = reader.place(node)


def options(reader: Reader, value: Constant) -> Iterator[Hyperparameter]:
    """The options whose default a value is: what is computed from one stands elsewhere."""
    if not value.weak or value.place is None or not isinstance(value.value, (int, float)):
        return
    for option in reader.recipe.hyperparameters:
        if option.declared == "argparse" and option.at is not None and (option.at.file, option.at.line) == (value.place.file, value.place.line):
            yield option
