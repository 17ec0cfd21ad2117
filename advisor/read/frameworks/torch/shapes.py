"""Methods and functions that move, select or convert the entries of a tensor: the values stay what they are."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Known, value_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes, bounds, devices
from advisor.read.frameworks.torch.flows import after, cut, flow_of, graph_now, name_of, shape, sizes, subject
from advisor.read.frameworks.torch.naming import register
from advisor.read.frameworks.torch.packed import Packed, packed
from advisor.read.python.values import Constant, Library, Opaque, Sequence, Tensor, Value, sequence

SAME = (
    "contiguous", "to", "cuda", "cpu", "xpu", "float", "double", "half", "bfloat16", "type", "type_as", "astype", "clone", "copy", "rename",
    "pin_memory", "share_memory_", "nan_to_num", "to_dense", "to_sparse", "coalesce", "masked_fill", "masked_fill_", "index_fill", "tril", "triu",
    "resolve_conj", "flip", "roll",
)  # fmt: skip
TURNED = ("t", "movedim", "moveaxis", "rot90", "adjoint")
RESHAPED = ("expand", "resize_", "resize")
LIKE = ("view_as", "reshape_as", "expand_as")
TAKEN = ("narrow", "index_select", "gather", "take_along_dim", "unfold", "scatter", "scatter_", "index_add", "index_copy", "unflatten", "diagonal")
REPEATED = ("repeat", "tile", "repeat_interleave", "broadcast_to", "cartesian_prod")
FLAT = ("ravel", "masked_select", "take")
WHOLE = ("long", "int", "short", "bool", "byte")
PARTS = ("chunk", "split", "unbind", "tensor_split", "split_with_sizes")
IN_PLACE = (
    "zero_", "add_", "mul_", "sub_", "div_", "pow_", "neg_", "abs_", "sqrt_", "floor_", "copy_", "fill_", "clamp_min_", "erfinv_", "index_fill_",
    "index_add_", "scatter_add_", "uniform_", "normal_", "exponential_", "bernoulli_", "random_",
)  # fmt: skip
DTYPES = {"float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "long": "int64", "int": "int32", "bool": "bool"}


def same(call: LibraryCall) -> Value | None:
    """The same entries in the same shape, elsewhere or in another type."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    dtype = DTYPES.get(name) or _dtype(call)
    changes: dict[str, Any] = {"graph": graph_now(call.reader, flow)}
    if dtype is not None:
        changes["dtype"] = dtype
    if devices.moves(call, name):
        leaves = devices.leaves_cpu(call, name)
        changes["placed"] = call.place if leaves else None
        stays = leaves is False or isinstance(devices.given(call), Tensor)  # on the CPU, where it was made
        if flow.activation == "parameter" and flow.activation_at is not None and not stays:
            changes["activation"] = "moved parameter"
    if dtype is not None and dtype.startswith(("int", "uint", "bool")):
        return Tensor(replace(cut(flow, f".{name}()", call.place), dtype=dtype, losses=(), placed=changes.get("placed", flow.placed)))
    if name in ("flip", "roll"):
        changes["padded"] = None
    if name in ("tril", "triu") and flow.activation in ("ones", "full"):
        changes["activation"] = "triangle"  # a mask of the future, if it masks attention
    moved = Tensor(replace(flow, **changes))
    return packed(moved) if isinstance(call.receiver, Packed) else moved


def _dtype(call: LibraryCall) -> str | None:
    given = call.arguments.keywords.get("dtype")
    for value in (given, *call.arguments.positional):
        if isinstance(value, Library) and value.name.startswith("torch."):
            name = value.name.rpartition(".")[2]
            return {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32"}.get(name, name)
    return None


def whole(call: LibraryCall) -> Value | None:
    """.long() and its like: integers have no gradient."""
    return same(call)


def turned(call: LibraryCall) -> Value | None:
    """The dimensions in another order."""
    flow = subject(call)
    if flow is None:
        return None
    second = flow.width if axes.brings_last_second(call, flow.rank) else None
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), width=None, second=second, rows=None, per=None))


def reshaped(call: LibraryCall) -> Value | None:
    """view(-1, 10)"""
    flow = subject(call)
    if flow is None:
        return None
    values = list(call.arguments.positional)[1 if call.receiver is None else 0 :]
    named = call.arguments.keywords.get("shape") or call.arguments.keywords.get("size")
    if isinstance(named, Sequence):
        values = [named]
    if any(isinstance(value, Library) for value in values):  # view(torch.int32)
        return Tensor(replace(flow, graph=graph_now(call.reader, flow)))
    found = shape(values) if call.arguments.exact else {"rank": None, "width": None, "rows": None}
    if name_of(call) == "expand":
        found.update(width=None, rows=None)
    given = sizes(values) if call.arguments.exact and name_of(call) in ("view", "reshape") else None
    ones = tuple(index for index, size in enumerate(given or ()) if call.reader.plain(size) == 1)
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **found), ones)


def like(call: LibraryCall) -> Value | None:
    """The shape of another tensor."""
    flow, other = subject(call), flow_of(call.get("other", after(call, 1)))
    if flow is None:
        return None
    found = {"rank": other.rank, "width": other.width, "rows": other.rows} if other is not None else {"rank": None, "width": None, "rows": None}
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **found))


def flattened(call: LibraryCall) -> Value | None:
    """flatten(1); torch.flatten(x) makes one dimension of all."""
    flow = subject(call)
    if flow is None:
        return None
    start, end = value_of(call.setting("start_dim", after(call, 1), 0)), value_of(call.setting("end_dim", after(call, 2), -1))
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **flat(flow.rank, start, end)))


def flat(rank: int | None, start: object, end: object) -> dict[str, Any]:
    """What flattening leaves of the shape: everything from `start` on is one dimension."""
    found: dict[str, Any] = {"rank": None, "width": None, "rows": None}
    if isinstance(start, int) and end == -1:
        found["rank"] = start + 1 if start >= 0 else None
    elif rank is not None and isinstance(start, int) and isinstance(end, int):
        found["rank"] = rank - (end % rank - start % rank)
    return found


def squeezed(call: LibraryCall) -> Value | None:
    """squeeze(1): drops a dimension if it has one entry."""
    flow = subject(call)
    if flow is None:
        return None
    given = call.get("dim", after(call, 1))
    dim = call.reader.plain(given) if given is not None else None
    rank, width = flow.rank, flow.width
    last = rank is not None and isinstance(dim, int) and dim in (-1, rank - 1)
    one = value_of(width) == 1
    changes: dict[str, Any] = {"rank": None, "width": None, "rows": None}
    if one and (last or dim == -1 or (given is None and rank == 2)):
        changes["rank"] = rank - 1 if rank is not None else None
    elif last and width is not None and isinstance(value_of(width), int):
        changes = {}  # it has more than one entry: nothing happens
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **changes))


def unsqueezed(call: LibraryCall) -> Value | None:
    """unsqueeze(1): one dimension more."""
    flow = subject(call)
    if flow is None:
        return None
    dim = call.reader.plain(call.get("dim", after(call, 1)))
    rank = flow.rank
    last = dim == -1 or (rank is not None and dim == rank)
    width = Known(1) if last else flow.width if rank is not None else None
    rows = flow.rows if rank is not None and isinstance(dim, int) and dim != 0 else None
    added = replace(flow, graph=graph_now(call.reader, flow), rank=rank + 1 if rank is not None else None, width=width, rows=rows)
    return Tensor(added, (dim,) if isinstance(dim, int) and dim >= 0 else ())


def taken(call: LibraryCall) -> Value | None:
    """Some of the entries; a one written at each label makes a one-hot tensor."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    if name in ("gather", "take_along_dim", "index_select"):
        flow = bounds.chosen(flow, map(flow_of, (*call.arguments.positional, *call.arguments.keywords.values())))
    changes: dict[str, Any] = {"width": None, "rows": None}
    if name == "unflatten":
        changes["rank"] = None
    elif name == "diagonal":
        changes["rank"] = flow.rank - 1 if flow.rank else None
    elif name == "unfold":  # windows along one dimension: they are one more, the last
        changes = {"rank": flow.rank + 1 if flow.rank is not None else None, "width": call.setting("size", 1)}
    if name in ("scatter", "scatter_") and flow.activation == "zeros":
        value = call.get("src", after(call, 3)) or call.get("value", after(call, 3))
        index = flow_of(call.get("index", after(call, 2)))
        if isinstance(value, Constant) and value.value == 1 and index is not None:
            changes = {"one_hot": True, "source": index.source, "sources": index.sources, "part": index.part}
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), per=None, **changes))


def repeated(call: LibraryCall) -> Value | None:
    """The entries, several times."""
    flow = subject(call)
    if flow is None:
        return None
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), rank=None, width=None, rows=None, per=None))


def in_a_row(call: LibraryCall) -> Value | None:
    """One dimension of all."""
    flow = subject(call)
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), rank=1, width=None, rows=None)) if flow is not None else None


def parts(call: LibraryCall) -> Value | None:
    """chunk(2): as many parts as are asked for."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    changes: dict[str, Any] = {"width": None, "rows": None}
    if name == "unbind":
        changes["rank"] = flow.rank - 1 if flow.rank else None
    item = Tensor(replace(flow, graph=graph_now(call.reader, flow), **changes))
    wanted = call.get("chunks", after(call, 1)) if name == "chunk" else call.get("split_size", after(call, 1))
    count = call.reader.plain(wanted) if name == "chunk" else len(wanted.items) if isinstance(wanted, Sequence) and wanted.exact else None
    if isinstance(count, int) and 0 < count <= 16:
        return sequence([item] * count, "tuple")
    return sequence([item, item], "tuple", exact=False)


def clamped(call: LibraryCall) -> Value | None:
    """clamp: a floor under a probability, a rectifier for scores."""
    flow = subject(call)
    if flow is None:
        return None
    low = call.reader.plain(call.get("min", after(call, 1))) if call.get("min", after(call, 1)) is not None else None
    high = call.get("max", after(call, 2))
    activation = None
    if flow.activation in ("softmax", "sigmoid"):
        activation = f"{flow.activation}+floor" if isinstance(low, float) and low > 0 else flow.activation
    elif low == 0 and high is None:
        activation = "relu"
    elif flow.activation in ("random", "parameter"):
        activation = flow.activation
    most = call.reader.plain(high) if high is not None else None
    if activation is None and isinstance(low, (int, float)) and isinstance(most, (int, float)) and not flow.losses:
        flow, activation = bounds.within(flow, max(abs(low), abs(most), 1e-9)), "bounded"
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), activation=activation))


def trained(call: LibraryCall) -> Value | None:
    """x.requires_grad_(): a leaf of its own graph."""
    flow = subject(call)
    if flow is None:
        return None
    if call.reader.plain(call.get("requires_grad", after(call, 1))) is False:
        return Tensor(cut(flow, ".requires_grad_(False)", call.place))
    leaf = flow.graph in ("none", "unknown") or (flow.graph == "cut" and not flow.losses)
    if not leaf:
        return Tensor(flow)
    return Tensor(replace(flow, graph="kept", cut_by=None, cut_at=None, activation="parameter"))


def in_place(call: LibraryCall) -> Value:
    """x.add_(...) gives x; x.zero_() and x.fill_(...) leave nothing of what it was but its shape."""
    if not isinstance(call.receiver, Tensor):
        return call.receiver or Opaque("a tensor", "tensor")
    flow = call.receiver.flow
    if name_of(call) in ("zero_", "fill_"):
        activation = "zeros" if name_of(call) == "zero_" else "full"
        changed = Tensor(Flow(graph="none", activation=activation, rank=flow.rank, width=flow.width, rows=flow.rows, dtype=flow.dtype))
    else:
        changed = Tensor(replace(flow, part=())) if flow.part else call.receiver  # no longer what the loader gave
    written(call, changed)
    return changed


def written(call: LibraryCall, changed: Value) -> None:
    """The name that a method is called of has what the method has made of it."""
    target = call.node.func.value if isinstance(call.node, ast.Call) and isinstance(call.node.func, ast.Attribute) else None
    if isinstance(target, ast.Name) and changed is not call.receiver:
        home = call.reader.frame.home(target.id)
        if home.get(target.id) is call.receiver:
            call.reader.store.write(home, target.id, changed)


register(SAME, same, batch=axes.kept)
register(WHOLE, whole, functions=False, batch=axes.kept)
register(TURNED, turned)
register(("permute",), turned, batch=axes.permuted)
register(("transpose", "swapaxes", "swapdims"), turned, batch=axes.swapped)
register(RESHAPED, reshaped)
register(("view", "reshape"), reshaped, batch=axes.reshaped)
register(LIKE, like, functions=False)
register(("flatten",), flattened, batch=axes.flattened)
register(("squeeze", "squeeze_"), squeezed, batch=axes.closed)
register(("unsqueeze", "unsqueeze_"), unsqueezed, batch=axes.opened)
register(TAKEN, taken)
register(REPEATED, repeated)
register(FLAT, in_a_row)
register(PARTS, parts)
register(("clamp", "clip", "clamp_", "clip_", "clamp_min"), clamped, batch=axes.kept)
register(("requires_grad_",), trained, functions=False)
register(IN_PLACE, in_place, functions=False)
