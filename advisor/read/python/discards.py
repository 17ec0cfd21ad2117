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


PURE_METHODS = frozenset({
    "to", "cuda", "cpu", "float", "half", "double", "long", "int", "bool", "bfloat16", "type", "type_as", "detach", "clone", "contiguous", "view",
    "reshape", "permute", "transpose", "t", "squeeze", "unsqueeze", "flatten", "expand", "repeat", "flip", "roll", "sum", "mean", "max", "min",
    "softmax", "log_softmax", "sigmoid", "relu", "tanh", "exp", "log", "sqrt", "abs", "clamp", "clip", "round", "nan_to_num", "masked_fill", "mul",
    "add", "sub", "div", "pow", "matmul", "bmm", "item", "numpy", "astype", "requires_grad",
})  # fmt: skip
PURE_FUNCTIONS = PURE_METHODS | {"cat", "stack", "concat", "where", "normalize", "one_hot", "dropout", "gelu", "leaky_relu"}
PURE_NUMPY = frozenset({
    "append", "array", "asarray", "clip", "concatenate", "delete", "exp", "expand_dims", "flip", "hstack", "insert", "log", "log1p", "pad", "repeat",
    "reshape", "roll", "sort", "squeeze", "stack", "transpose", "vstack", "where",
})  # fmt: skip
PURE_FRAME = frozenset({
    "astype", "drop", "drop_duplicates", "dropna", "ffill", "bfill", "fillna", "interpolate", "rename", "replace", "reset_index", "sample",
    "set_index", "sort_index", "sort_values",
})  # fmt: skip
PURE_CALLS = frozenset(
    [f"{room}.{name}" for room in ("torch", "torch.nn.functional") for name in PURE_FUNCTIONS]
    + [f"numpy.{name}" for name in PURE_NUMPY]
    + [f"pandas.DataFrame.{name}" for name in PURE_FRAME]
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
        flagged = any(isinstance(given, ast.Constant) and given.value is True for given in node.args)  # F.relu(x, True) works in place
        if full in PURE_CALLS and not flagged and not any(k.arg in ("out", "inplace", "copy") for k in node.keywords):
            reader.emit(Kind.DISCARD, node, call=reader.text(node), what=full, of="library")
