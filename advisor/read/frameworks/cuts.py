"""Splits written by hand: the rows below a bound that follows from their number, `x[: int(0.8 * len(x))]`, and those from it on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loader, Split
from advisor.model.record import replace
from advisor.model.source import Known, Passes, Place, number
from advisor.read.python import scopes
from advisor.read.python.values import Constant, Instance, Opaque, Sequence, Tensor, Value, members

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader

HALF = 0.5  # the larger part is trained on
NEGATIVE = "UnaryOp(op=USub"  # how -n is written out


def identity(value: Value | None) -> Any:
    """What tells whether two uses are of the same data: the source of a flow, an array's own identity. Some rows of data are data of their own."""
    from advisor.read.frameworks.torch.flows import flow_of  # the tables of torch are loaded with the first program that needs them

    if isinstance(value, Instance):
        return value.data.get("identity", value)
    flow = flow_of(value)
    if flow is not None and flow.source is not None:
        return value if "rows" in flow.part and not is_part(flow.source) else flow.source
    if isinstance(value, (Tensor, Opaque)):
        return value
    return None


def origin(value: Value | None) -> Any:
    """The data that some rows, or windows of rows, were taken from; of a list, those of what is in it."""
    from advisor.read.frameworks.torch.flows import flow_of

    if isinstance(value, Sequence):
        value = value.items[0] if value.items else None
    flow = flow_of(value)
    return flow.source if flow is not None and "rows" in flow.part else None


def is_part(held: Any) -> bool:
    """True for the identity of one part of a split."""
    return isinstance(held, tuple) and isinstance(held[0], Split)


def rows_of(value: Value) -> Passes | None:
    """The number of rows of data: once as many as it has. A batch of a loader has not as many as the loader has batches."""
    of = identity(value) if is_data(value) else None
    return Passes(of, Known(1)) if of is not None and not isinstance(of, Loader) else None


def part_of(reader: Reader, array: Value, split: Split, part: str) -> Value:
    """One part of an array that was split."""
    from advisor.read.frameworks.torch.flows import flow_of

    if isinstance(array, Instance):
        return reader.instance(array.kind, role=array.role, data={**array.data, "identity": (split, part), "whole": identity(array), "split": split})
    flow = flow_of(array) or Flow(graph="none")
    return Tensor(replace(flow, source=(split, part), sources=(), graph="none", rows=None, width=None if flow.rank == 1 else flow.width))


def put_in_order(call: LibraryCall, value: Value | None, by: str | None = None) -> None:
    """Notes that the rows of a value, or its items, stand in an order that this call draws."""
    thing = _ordered(value) if value is not None else None
    if thing is not None:
        call.reader.cuts[id(thing)] = by or call.name, call.place
        call.reader.keep.append(thing)


def _ordered(value: Value) -> Any:
    return value.state if isinstance(value, Sequence) else identity(value)


def order_of(reader: Reader, value: Value | None) -> Place | None:
    """Where the order of the rows that a value may be was drawn; a data set of the project has the order of the rows that it keeps."""
    for member in members(value) if value is not None else ():
        held = member.attributes.values() if isinstance(member, Instance) and member.cls is not None else (member,)
        for inner in (inner for one in held for inner in members(one)):
            drawn = reader.cuts.get(id(_ordered(inner)))
            if isinstance(drawn, tuple):
                return drawn[1]
    return None


def keep_order(reader: Reader, made: Value, value: Value) -> Value:
    """A list made of all items of another one, which stand in its order."""
    for member in members(value):
        drawn = reader.cuts.get(id(_ordered(member)))
        if isinstance(drawn, tuple) and isinstance(made, Sequence):
            reader.cuts[id(made.state)] = drawn
            reader.keep.append(made.state)
    return made


def cut_in_order(reader: Reader, owner: Value, index: Value, node: ast.AST) -> tuple[Split, str] | None:
    """Notes the split where a slice takes a part of what was put in random order, and the code around takes the other part as well; which part
    of it that is."""
    whole = _ordered(owner)
    if not isinstance(reader.cuts.get(id(whole)), tuple | Split) or _rows(index) is None or not isinstance(node, ast.Subscript):
        return None
    written = _written(node)
    if not isinstance(written, ast.Slice) or not _both_taken(reader, written):
        return None
    middle = written.lower is not None and written.upper is not None
    return _split(reader, whole, node), ast.unparse(written) if middle else "train" if written.lower is None else "test"


def hold(part: Sequence, cut: tuple[Split, str] | None) -> Sequence:
    """A part of a list, of which it is kept what split it belongs to."""
    if cut is not None:
        part.state["split"] = cut[0]
    return part


def split_of(indices: Value | None) -> Split | None:
    """The split that these indices are a part of."""
    if isinstance(indices, Sequence):
        held = indices.state.get("split")
        return held if isinstance(held, Split) else None
    source = indices.flow.source if isinstance(indices, Tensor) else None
    return source[0] if isinstance(source, tuple) and source and isinstance(source[0], Split) else None


def _split(reader: Reader, whole: Any, node: ast.AST, origin: Any = None) -> Split:
    """The split of data, or of their indices, that a slice belongs to."""
    split = reader.cuts.get(id(whole))
    if not isinstance(split, Split):
        order = split
        data = None if isinstance(whole, dict) else whole  # of a list of numbers no more is known
        made = Split(reader.place(node), kind="a slice", shuffle=Known(order is not None), data=data, origin=origin, parts=2, order=order)
        split = reader.record(made)
        reader.cuts[id(whole)] = split
        reader.keep.append(whole)
        reader.emit(Kind.SPLIT, node, split)
    return split


def _rows(index: Value) -> Sequence | None:
    """The slice of rows of a subscript."""
    rows = index.items[0] if isinstance(index, Sequence) and index.kind == "tuple" and index.items else index
    return rows if isinstance(rows, Sequence) and rows.kind == "slice" else None


def _written(node: ast.Subscript) -> ast.expr:
    """The slice of rows as it is written; `0:n` is `:n`."""
    rows = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    begins_at_zero = isinstance(rows, ast.Slice) and isinstance(rows.lower, ast.Constant) and rows.lower.value == 0
    return ast.Slice(None, rows.upper, rows.step) if begins_at_zero else rows  # type: ignore[attr-defined]


def cut(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value | None:
    """The part of data that a slice takes, where the code around takes the other part as well; None for any other slice."""
    rows = _rows(index)
    if rows is None or not isinstance(node, ast.Subscript) or not is_data(owner):
        return None
    whole = identity(owner)
    lower, upper = rows.items[:2]
    begin = 0.0 if _is_open(lower) or _is_zero(lower) else _share(lower, whole)
    end = 1.0 if _is_open(upper) else _share(upper, whole)
    written = _written(node)
    if begin is None or end is None or end - begin == 1 or not isinstance(written, ast.Slice) or not _both_taken(reader, written):
        return None
    begin, end = (1 - share if _from_end(bound) else share for share, bound in ((begin, written.lower), (end, written.upper)))
    return part_of(reader, owner, _split(reader, whole, node, origin(owner)), "train" if end - begin >= HALF else "test")


def picked(reader: Reader, owner: Value, index: Value) -> Value | None:
    """The rows that a part of an order of numbers picks, `x[order[:n]]`: that part of the data. None for any other index."""
    held = index.flow.source if isinstance(index, Tensor) and not index.flow.part else None
    if held is None or not is_part(held) or not is_data(owner) or isinstance(identity(owner), Loader):
        return None
    split, part = held
    if not of_numbers(split):
        return None  # what was split are no numbers of rows: labels that look something up, say
    split.origin = split.origin or identity(owner)
    return part_of(reader, owner, split, part)


def of_numbers(split: Split) -> bool:
    """True where what was put in order and cut are the numbers of rows."""
    return split.kind == "a slice" and split.order is not None and split.order[0].endswith(("permutation", "randperm"))


def is_data(value: Value) -> bool:
    """True for what holds samples as they were read: no output of a model, no part of a batch."""
    if isinstance(value, Instance):
        return value.role == "frame"
    return isinstance(value, Tensor) and value.flow.graph == "none" and not value.flow.modules and value.flow.activation is None


def _is_open(bound: Value) -> bool:
    """True for a bound that is left out."""
    return isinstance(bound, Constant) and bound.value is None


def _is_zero(bound: Value) -> bool:
    return isinstance(bound, Constant) and type(bound.value) is int and bound.value == 0


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
    lower, upper = (ast.dump(scopes.uncast(bound)) if bound is not None else "" for bound in (rows.lower, rows.upper))
    if lower in ends or upper in begins:
        return True
    if rows.lower is None:
        return not _from_end(rows.upper) and any(begin.startswith(NEGATIVE) for begin in begins)
    return rows.upper is None and _from_end(rows.lower) and not all(end.startswith(NEGATIVE) for end in ends)


def _from_end(bound: ast.expr | None) -> bool:
    """True for a bound that is counted from the end: -n."""
    return isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub)
