"""Splits written by hand: the rows below a bound that follows from their number, `x[: int(0.8 * len(x))]`, and those from it on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Split
from advisor.model.record import replace
from advisor.model.source import Known, Passes, number
from advisor.read.python import scopes
from advisor.read.python.values import Constant, Instance, Opaque, Sequence, Tensor, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

HALF = 0.5  # the larger part is trained on
NEGATIVE = "UnaryOp(op=USub"  # how -n is written out


def identity(value: Value | None) -> Any:
    """What tells whether two uses are of the same data: the source of a flow, an array's own identity."""
    from advisor.read.frameworks.torch.flows import flow_of  # the tables of torch are loaded with the first program that needs them

    if isinstance(value, Instance):
        return value.data.get("identity", value)
    flow = flow_of(value)
    if flow is not None and flow.source is not None:
        return flow.source
    if isinstance(value, (Tensor, Opaque)):
        return value
    return None


def rows_of(value: Value) -> Passes | None:
    """The number of rows of data: once as many as it has."""
    return Passes(identity(value), Known(1)) if _is_data(value) else None


def part_of(reader: Reader, array: Value, split: Split, part: str) -> Value:
    """One part of an array that was split."""
    from advisor.read.frameworks.torch.flows import flow_of

    if isinstance(array, Instance):
        return reader.instance(array.kind, role=array.role, data={**array.data, "identity": (split, part), "whole": identity(array), "split": split})
    flow = flow_of(array) or Flow(graph="none")
    return Tensor(replace(flow, source=(split, part), sources=(), graph="none", rows=None, width=None if flow.rank == 1 else flow.width))


def cut(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value | None:
    """The part of data that a slice takes, where the code around takes the other part as well; None for any other slice."""
    rows = index.items[0] if isinstance(index, Sequence) and index.kind == "tuple" and index.items else index
    if not (isinstance(rows, Sequence) and rows.kind == "slice" and isinstance(node, ast.Subscript) and _is_data(owner)):
        return None
    whole = identity(owner)
    lower, upper = rows.items[:2]
    begin = 0.0 if _is_open(lower) else _share(lower, whole)
    end = 1.0 if _is_open(upper) else _share(upper, whole)
    written = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
    if begin is None or end is None or end - begin == 1 or not isinstance(written, ast.Slice) or not _both_taken(reader, written):
        return None
    begin, end = (1 - share if _from_end(bound) else share for share, bound in ((begin, written.lower), (end, written.upper)))
    split = reader.cuts.get(id(whole))
    if split is None:
        split = reader.cuts[id(whole)] = reader.record(Split(reader.place(node), kind="a slice", shuffle=Known(False), data=whole, parts=2))
        reader.keep.append(whole)
        reader.emit(Kind.SPLIT, node, split)
    return part_of(reader, owner, split, "train" if end - begin >= HALF else "test")


def _is_data(value: Value) -> bool:
    """True for what holds samples as they were read: no output of a model, no part of a batch."""
    if isinstance(value, Instance):
        return value.role in ("frame", "array")
    return isinstance(value, Tensor) and value.flow.graph == "none" and not value.flow.modules and value.flow.activation is None


def _is_open(bound: Value) -> bool:
    """True for a bound that is left out."""
    return isinstance(bound, Constant) and bound.value is None


def _share(bound: Value, whole: Any) -> float | None:
    """The share of the rows that lies below a bound, when the bound is a part of their number."""
    share = number(bound.passes.times) if isinstance(bound, Opaque) and bound.passes is not None and bound.passes.of is whole else None
    return share if share is not None and 0 < share < 1 else None


def _both_taken(reader: Reader, rows: ast.Slice) -> bool:
    """True when a bound of the slice is also where another slice of the function begins or ends; for a bound that the object keeps, of its class.

    `x[-n:]` takes the other part of `x[:m]`, whatever the names of the two numbers.
    """
    code = reader.active[-1] if reader.active else reader.frame.module.tree
    kept = any(isinstance(part, ast.Attribute) for bound in (rows.lower, rows.upper) if bound is not None for part in ast.walk(bound))
    owner = reader.frame.owner
    begins, ends = scopes.bounds(owner.node if kept and owner is not None else code)
    if (rows.lower is not None and ast.dump(rows.lower) in ends) or (rows.upper is not None and ast.dump(rows.upper) in begins):
        return True
    if rows.lower is None:
        return not _from_end(rows.upper) and any(begin.startswith(NEGATIVE) for begin in begins)
    return rows.upper is None and _from_end(rows.lower) and not all(end.startswith(NEGATIVE) for end in ends)


def _from_end(bound: ast.expr | None) -> bool:
    """True for a bound that is counted from the end: -n."""
    return isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub)
