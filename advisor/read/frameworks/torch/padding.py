"""Sequences that are brought to one length by entries behind their ends."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Bound, Class, Constant, Function, Instance, Partial, Sequence, Value

if TYPE_CHECKING:
    from advisor.model.source import Place

PAD = "torch.nn.utils.rnn.pad_sequence"
Parts = tuple[tuple[int | str, "Place"], ...]


def is_last_step(parts: Sequence) -> bool:
    """True for the index of `outputs[:, -1]` and `outputs[:, -1, :]`."""
    whole, last = parts.items[:1], parts.items[1:2]
    ends = bool(last) and isinstance(last[0], Constant) and last[0].value == -1
    return ends and all(map(_takes_all, (*whole, *parts.items[2:])))


def _takes_all(part: Value) -> bool:
    return isinstance(part, Sequence) and part.kind == "slice" and all(isinstance(bound, Constant) and bound.value is None for bound in part.items)


def padded_parts(collate: Value | None) -> Parts:
    """The parts of a batch, by number or key, that a collate function of the project pads behind their ends."""
    function = _function(collate)
    if function is None or "pad_sequence" not in function.module.text or isinstance(function.node, ast.Lambda):
        return ()
    text = ast.unparse(function.node)
    returns = [part for part in ast.walk(function.node) if isinstance(part, ast.Return)]
    if "pad_sequence" not in text or "flip" in text or "::-1" in text or len(returns) != 1:
        return ()
    return tuple(_returned(function, function.node, returns[0].value))


def _function(value: Value | None) -> Function | None:
    if isinstance(value, Partial):
        value = value.function
    if isinstance(value, Instance) and value.cls is not None:
        called = (base.namespace.get("__call__") for base in value.cls.mro if isinstance(base, Class))
        value = next((found for found in called if found is not None), None)
    if isinstance(value, Bound):
        value = value.function
    return value if isinstance(value, Function) else None


def _returned(function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef, value: ast.expr | None) -> Iterator[tuple[int | str, Place]]:
    named: list[tuple[int | str, ast.expr]] = []
    if isinstance(value, (ast.Tuple, ast.List)):
        named = list(enumerate(value.elts))
    elif isinstance(value, ast.Dict):
        named = [(key.value, item) for key, item in zip(value.keys, value.values) if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    for key, item in named:
        made = _last_bound(node, item.id) if isinstance(item, ast.Name) else item
        if made is not None and _pads(function, made):
            yield key, function.module.place(made)


def _last_bound(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    """What a name of a function is bound to in the end, where its own lines say so."""
    bound = [line for line in ast.walk(node) if isinstance(line, ast.Name) and line.id == name and not isinstance(line.ctx, ast.Load)]
    lines = [line for line in node.body if isinstance(line, ast.Assign) and any(target in bound for target in line.targets)]
    last = max(bound, key=lambda target: target.lineno, default=None)
    return lines[-1].value if lines and last in lines[-1].targets else None


def _pads(function: Function, made: ast.expr) -> bool:
    if not isinstance(made, ast.Call):
        return False
    told = {keyword.arg: keyword.value for keyword in made.keywords}
    first, side = told.get("batch_first"), told.get("padding_side")
    known = isinstance(first, ast.Constant) and first.value is True and (side is None or (isinstance(side, ast.Constant) and side.value == "right"))
    return known and library_name(Frame(function.module, function.module.namespace), made.func) == PAD
