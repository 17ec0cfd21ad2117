"""Calls whose result is thrown away and that change nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.read.python import conditions
from advisor.read.python.values import (
    Instance,
    Library,
    Opaque,
    Tensor,
    Value,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


PURE_METHODS = frozenset(
    [
        "to",
        "cuda",
        "cpu",
        "float",
        "half",
        "double",
        "long",
        "int",
        "bool",
        "type",
        "detach",
        "clone",
        "contiguous",
        "view",
        "reshape",
        "permute",
        "transpose",
        "t",
        "squeeze",
        "unsqueeze",
        "flatten",
        "expand",
        "repeat",
        "sum",
        "mean",
        "max",
        "min",
        "softmax",
        "sigmoid",
        "relu",
        "tanh",
        "exp",
        "log",
        "sqrt",
        "abs",
        "clamp",
        "item",
        "numpy",
        "mul",
        "add",
        "sub",
        "div",
        "pow",
        "matmul",
        "bmm",
        "type_as",
        "requires_grad",
    ]
)


def discarded(reader: Reader, node: ast.Call, result: Value) -> None:
    """An expression statement `x.to(device)` whose result is thrown away and that changes nothing."""
    if isinstance(node.func, ast.Attribute):
        receiver = conditions.peek(reader, node.func.value)
        name = node.func.attr
        if isinstance(receiver, Tensor) and name in PURE_METHODS and isinstance(result, (Tensor, Opaque)):
            reader.emit(Kind.DISCARD, node, call=reader.text(node), what=name, of="tensor", flow=receiver.flow)
            return
        library = receiver.name if isinstance(receiver, Library) else None
        full = f"{library}.{name}" if library else (f"{receiver.kind}.{name}" if isinstance(receiver, Instance) else None)
        if full in PURE_CALLS and not any(k.arg in ("out", "inplace") for k in node.keywords):
            reader.emit(Kind.DISCARD, node, call=reader.text(node), what=full, of="library")


PURE_CALLS = frozenset(
    [
        "numpy.delete",
        "numpy.append",
        "numpy.concatenate",
        "numpy.reshape",
        "numpy.sort",
        "numpy.clip",
        "numpy.transpose",
        "numpy.squeeze",
        "numpy.expand_dims",
        "pandas.DataFrame.drop",
        "pandas.DataFrame.dropna",
        "pandas.DataFrame.fillna",
        "pandas.DataFrame.reset_index",
        "pandas.DataFrame.sort_values",
        "pandas.DataFrame.drop_duplicates",
        "pandas.DataFrame.rename",
        "pandas.DataFrame.astype",
        "pandas.DataFrame.replace",
        "torch.cat",
        "torch.stack",
        "torch.clamp",
        "torch.sigmoid",
        "torch.softmax",
        "torch.relu",
    ]
)
