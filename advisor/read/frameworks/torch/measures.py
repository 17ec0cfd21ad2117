"""What is taken from tensors: numbers, indices, sums, comparisons, sizes."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Known
from advisor.read.frameworks import scaling, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes, bounds
from advisor.read.frameworks.torch.counts import labels_each, matches
from advisor.read.frameworks.torch.flows import after, cut, flow_of, graph_now, merge, name_of, named, shallow, subject
from advisor.read.frameworks.torch.naming import register
from advisor.read.frameworks.torch.operators import agreement, compared
from advisor.read.frameworks.torch.shapes import written
from advisor.read.python.subscripts import SAMPLES, SHAPE
from advisor.read.python.values import Constant, Opaque, Sequence, Tensor, Value, sequence, setting

MEANS = ("sum", "mean", "nanmean", "nansum", "norm")  # of errors: a measurement by hand
REDUCTIONS = ("sum", "mean", "nanmean", "nansum", "norm", "var", "std", "logsumexp", "prod", "trace", "median", "dist", "count_nonzero")


def number(call: LibraryCall) -> Value | None:
    """.item() and .tolist() leave the graph."""
    flow = subject(call)
    if flow is None:
        return None
    outside = replace(cut(flow, f".{name_of(call)}()", call.place), placed=None)
    return Opaque("a number taken from a tensor", "float" if name_of(call) == "item" else "list", flow=outside)


def leave(call: LibraryCall) -> Value | None:
    """.detach(), .numpy() leave the graph; detach_() takes its tensor out of it."""
    flow = subject(call)
    if flow is None:
        return None
    ended = cut(flow, f".{name_of(call)}()", call.place)
    outside = Tensor(ended if name_of(call).startswith("detach") else replace(ended, placed=None), leaves=True)
    if name_of(call) == "detach_":
        written(call, outside)
    return outside


def choose(call: LibraryCall) -> Value | None:
    """argmax, max over a dimension, topk: indices have no gradient."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    position = after(call, 1)
    second = call.get("dim", position) or call.get("other", position)
    values = replace(flow, graph=graph_now(call.reader, flow), width=None, rows=None, statistic=scaling.statistic_of(call, flow, position))
    if name in ("max", "min", "median") and second is None:
        return Tensor(replace(values, activation=None, rank=0, per=None, counted=None))
    if name in ("max", "min") and isinstance(second, Tensor):
        return Tensor(replace(merge(call.reader, [flow, second.flow]), metric=flow.metric, direction=flow.direction, reduction=flow.reduction))
    one_each = name in ("argmax", "argmin", "max", "min", "mode", "median", "kthvalue", "cummax", "cummin")
    places = name in ("topk", "kthvalue")
    dim = call.setting("dim", after(call, 2) if places else position, -1 if places or name in ("sort", "argsort", "mode") else None)
    fewer = one_each and not name.startswith("cum") and call.reader.plain(call.get("keepdim")) is not True
    rank = None if flow.rank is None else max(flow.rank - 1, 0) if fewer else flow.rank
    if name in ("argmax", "argmin") and call.get("dim", position) is None:
        rank = 0
    index = replace(
        flow,
        activation="argmax",
        activation_at=call.place,
        activation_dim=dim,
        activation_input=shallow(flow),
        width=None,
        rows=None,
        rank=rank,
        losses=(),
        counted=None,
        per=None,
        dtype="int64",
    )
    indices = Tensor(cut(index, name, call.place))
    if name.startswith("arg"):
        return indices
    return named(call, values=Tensor(replace(values, rank=rank)), indices=indices)


def reduce(call: LibraryCall) -> Value | None:
    """Sums and means: of a loss they set its reduction; the mean of hits is a rate."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    dim = call.get("dim", after(call, 2 if name in ("norm", "dist") else 1))
    dropped = len(dim.items) if isinstance(dim, Sequence) and dim.exact else 1
    kept = call.reader.plain(call.get("keepdim", after(call, 2))) is True
    rank = 0 if dim is None else flow.rank if kept else None if flow.rank is None else max(flow.rank - dropped, 0)
    activation = flow.activation if flow.losses else None
    if flow.activation == "terms of a cosine" and name == "sum" and dim is not None:
        flow, activation = bounds.within(flow, 1.0), "bounded"
    changes: dict[str, Any] = {
        "activation": activation,
        "dtype": None if flow.dtype == "bool" else flow.dtype,
        "width": None,
        "rows": None,
        "rank": rank,
        **(matches(flow) if name in ("sum", "count_nonzero") and dim is None else {"counted": None, "per": None}),
        "one_hot": False,
        "ratio": flow.ratio and flow.rank == 0,  # a mean of scores is no score of a whole batch
        "statistic": scaling.statistic_of(call, flow, after(call, 1)),
    }
    if flow.error and call.reader.grad_mode == "off" and not flow.losses and name in MEANS:
        call.reader.emit(Kind.METRIC, call.node, None, name="error", flow=flow)
        changes["error"] = False
    if name in ("sum", "mean"):
        changes["reduction"] = name
    if flow.metric == "accuracy" and flow.scale is None:
        changes["scale"] = "fraction" if name == "mean" else None
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **changes))


def size(call: LibraryCall) -> Value:
    """x.size(0), x.dim(), x.numel()"""
    name = name_of(call)
    flow = subject(call)
    if name in ("dim", "ndimension") and flow is not None and flow.rank is not None:
        return Constant(flow.rank)
    if name == "size" and axes.of(call.receiver) == 0:
        dimension = call.get("dim", 0)
        if dimension is None or call.reader.plain(dimension) == 0:
            return Opaque(SHAPE, "shape") if dimension is None else Opaque(SAMPLES, "int", low=0)
    if name == "size" and not call.arguments.positional and "dim" not in call.arguments.keywords:
        return sequence([Opaque("a size", "int")], "tuple", exact=False)
    return Opaque("a size", "int", low=0)


def compare(call: LibraryCall) -> Value:
    """eq, ge, lt: no gradient."""
    flow = subject(call) or Flow()
    name = name_of(call)
    other = call.get("other", after(call, 1))
    if isinstance(other, Constant) and name in ("ge", "gt", "lt", "le"):
        call.reader.recipe.thresholds.append((call.place, flow, setting(other)))
    measured = agreement(Tensor(flow), other) if name == "eq" else {}
    if measured:
        given = flow if flow.modules else flow_of(other)
        call.reader.emit(Kind.METRIC, call.node, None, name="accuracy", flow=given or flow)
    measured.update(compared(Tensor(flow), other, flow) if other is not None else {})
    if name in ("equal", "allclose", "is_same_size", "is_nonzero"):
        return Opaque("a comparison of tensors", "bool")
    return Tensor(
        replace(
            cut(flow, "a comparison", call.place),
            activation="comparison",
            losses=(),
            dtype="bool",
            counted=None,
            per="class" if name == "eq" and other is not None and labels_each(other) else None,
            one_hot=False,
            **measured,
        )
    )


def rounded(call: LibraryCall) -> Value:
    """round, floor, sign: steps, whose gradient is zero; a rounded probability is a decision at one half."""
    flow = subject(call) or Flow()
    if name_of(call) == "round" and (flow.activation in ("sigmoid", "linear") or flow.modules):
        call.reader.recipe.thresholds.append((call.place, flow, Known(0.5)))
    return Tensor(replace(flow, activation=None, graph=graph_now(call.reader, flow)))


def item(call: LibraryCall) -> Value | None:
    """values, indices = x.max(1): the parts by their place."""
    parts = call.this.data["parts"]
    index = call.reader.plain(call.arguments.positional[0]) if call.arguments.positional else None
    return parts[index] if isinstance(index, int) and -len(parts) <= index < len(parts) else None


def entries(call: LibraryCall) -> Value | None:
    """batch.items(): the parts of a batch that is a dict, whatever their names."""
    flow = flow_of(call.receiver)
    if flow is None or flow.source is None:
        return None
    key, held = Opaque("a key of a batch", "str"), Tensor(flow)
    found: Value = sequence([key, held], "tuple") if name_of(call) == "items" else key if name_of(call) == "keys" else held
    return sequence([found], "generator", exact=False)


register(("item", "tolist"), number, functions=False)
register(("detach", "numpy", "detach_", "__array__"), leave)
register(("argmax", "argmin", "max", "min", "topk", "sort", "argsort", "kthvalue", "mode", "cummax", "cummin", "median"), choose)
register(REDUCTIONS, reduce)
register(("amax", "amin"), reduce)
register(("eq", "ne", "ge", "gt", "lt", "le", "isnan", "isinf", "isfinite", "equal", "allclose", "isclose", "logical_and", "logical_or"), compare)
register(("round", "floor", "ceil", "sign", "trunc", "heaviside"), rounded)
register(
    ("size", "dim", "numel", "nelement", "ndimension", "element_size", "stride", "storage_offset", "data_ptr", "get_device"), size, functions=False
)
table.FUNCTIONS["torch.numel"] = size
register(("items", "keys", "values"), entries, functions=False)
table.METHODS["torch.return_types", "__getitem__"] = item
