"""Functions and methods of tensors: what keeps a softmax a softmax, what cuts the graph, what is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, FunctionalDropout
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import (
    after,
    arguments,
    cut,
    flow_of,
    flows_in,
    graph_now,
    graph_of_weights,
    merge,
    name_of,
    named,
    shallow,
    subject,
)
from advisor.read.frameworks.torch.operators import agreement
from advisor.read.python.values import NONE, Constant, Opaque, Sequence, Tensor, Value, Weights, sequence, setting

ACTIVATIONS = {
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softmin": "softmax",
    "gumbel_softmax": "softmax",
    "sigmoid": "sigmoid",
    "expit": "sigmoid",
    "logsigmoid": "logsigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "relu6": "relu",
    "leaky_relu": "leaky_relu",
    "prelu": "leaky_relu",
    "rrelu": "leaky_relu",
    "elu": "elu",
    "selu": "elu",
    "celu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "hardswish": "silu",
    "mish": "silu",
    "hardsigmoid": "sigmoid",
    "hardtanh": "tanh",
    "softplus": "softplus",
    "softsign": "tanh",
    "exp": "exp",
    "log": "log",
    "log2": "log",
    "log10": "log",
    "log1p": "log1p",
    "normalize": "normalize",
}
LOGARITHMS = {"softmax": "log_softmax", "softmax+floor": "log_softmax", "sigmoid": "logsigmoid", "sigmoid+floor": "logsigmoid"}
EXPONENTIALS = {"log_softmax": "softmax", "logsigmoid": "sigmoid"}
WITH_DIMENSION = frozenset({"softmax", "log_softmax", "softmin", "gumbel_softmax", "normalize"})
REDUCTIONS = ("sum", "mean", "nanmean", "nansum", "norm", "var", "std", "logsumexp", "prod", "trace", "median", "dist", "count_nonzero")
LINEAR = frozenset({"linear", "conv1d", "conv2d", "conv3d", "bilinear", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})


def activate(call: LibraryCall) -> Value | None:
    """Activations, by function or method. The logarithm of a softmax is a log-softmax."""
    flow = subject(call)
    name = name_of(call).rstrip("_")
    if flow is None:
        if call.receiver is not None or not arguments(call) or isinstance(arguments(call)[0], Constant):
            return None
        flow = Flow()
    activation = ACTIVATIONS[name]
    if activation == "log":
        call.reader.recipe.logs.append((call.place, flow))
        activation = LOGARITHMS.get(flow.activation or "", activation)
    elif activation == "exp":
        activation = EXPONENTIALS.get(flow.activation or "", activation)
    return Tensor(
        replace(
            flow,
            activation=activation,
            activation_at=call.place,
            activation_dim=_dimension(call, name) if name in WITH_DIMENSION else ABSENT,
            activation_input=shallow(flow),
            graph=graph_now(call.reader, flow),
            counted=flow.counted if name.startswith("log") else None,
            dtype=None if flow.dtype is not None and flow.dtype.startswith(("int", "bool")) else flow.dtype,
        )
    )


def _dimension(call: LibraryCall, name: str) -> Setting:
    if name == "gumbel_softmax":
        return call.setting("dim", 4, -1)
    if name == "normalize":
        return call.setting("dim", 2, 1)
    return call.setting("dim", after(call, 1), None)


def number(call: LibraryCall) -> Value | None:
    """.item() and .tolist() leave the graph."""
    flow = subject(call)
    if flow is None:
        return None
    return Opaque("a number taken from a tensor", "float" if name_of(call) == "item" else "list", flow=cut(flow, f".{name_of(call)}()", call.place))


def leave(call: LibraryCall) -> Value | None:
    """.detach(), .numpy() leave the graph."""
    flow = subject(call)
    return Tensor(cut(flow, f".{name_of(call)}()", call.place)) if flow is not None else None


def choose(call: LibraryCall) -> Value | None:
    """argmax, max over a dimension, topk: indices have no gradient."""
    flow = subject(call)
    if flow is None:
        return None
    name = name_of(call)
    position = after(call, 1)
    second = call.get("dim", position) or call.get("other", position)
    values = replace(flow, graph=graph_now(call.reader, flow), width=None, rows=None)
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
    changes: dict[str, Any] = {
        "activation": activation,
        "dtype": None if flow.dtype == "bool" else flow.dtype,
        "width": None,
        "rows": None,
        "rank": rank,
        "counted": None,
        "per": None,
        "one_hot": False,
    }
    if name in ("sum", "mean"):
        changes["reduction"] = name
    if flow.metric == "accuracy" and flow.scale is None:
        changes["scale"] = "fraction" if name == "mean" else None
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), **changes))


def backward(call: LibraryCall) -> Value:
    """loss.backward()"""
    flow = flow_of(call.receiver) or Flow()
    call.reader.emit(
        Kind.BACKWARD,
        call.node,
        flow=flow,
        scaler=flow.scaler,
        retain_graph=call.setting("retain_graph", 1, None),
        create_graph=call.setting("create_graph", 2, False),
    )
    return NONE


def combine(call: LibraryCall) -> Value:
    """cat, stack, where: several tensors in one."""
    name = name_of(call)
    flows = list(flows_in(arguments(call)))
    if not flows:
        return Tensor(Flow())
    merged = merge(call.reader, flows)
    head = flows[0]
    same = all(flow.activation == head.activation for flow in flows)
    ranks = {flow.rank for flow in flows}
    rank = ranks.pop() if len(ranks) == 1 else None
    if name == "stack" and rank is not None:
        rank += 1
    if name == "where" or not same:
        return Tensor(replace(merged, rank=rank if name != "where" else None))
    return Tensor(
        replace(
            merged,
            activation=head.activation,
            activation_at=head.activation_at,
            activation_dim=head.activation_dim if name != "stack" else None,
            activation_input=head.activation_input,
            rank=rank if name in ("cat", "concat", "concatenate", "stack") else None,
            metric=head.metric,
            direction=head.direction,
            reduction=None,
            one_hot=head.one_hot,
        )
    )


def dropout(call: LibraryCall) -> Value:
    """F.dropout(x, p=0.5, training=True); torch.dropout needs both."""
    reader, key = call.reader, ("dropout", id(call.node))
    flow = subject(call) or Flow()
    p, training = call.setting("p", 1, 0.5), call.setting("training", 2, True)
    if any(text.startswith("self.training") or ".training and" in text or text.endswith(".training") for text, _ in reader.conditions):
        training = Unknown("it stands under a condition on the training mode")
    if key not in reader.seen_facts:
        fact = reader.seen_facts[key] = FunctionalDropout(call.place, kind=call.name, p=p, training=training)
        reader.recipe.dropouts.append(fact)
    reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="augment", training=training, p=p)
    off = isinstance(p, Known) and p.value == 0
    dropped = (call.place, flow.activation_at) if flow.activation == "linear" and flow.activation_at is not None and not off else flow.dropped
    return Tensor(replace(flow, graph=graph_now(reader, flow), dropped=dropped))


def layer(call: LibraryCall) -> Value:
    """F.linear, F.conv2d, normalisation: what a layer does, with the weights given."""
    name = name_of(call)
    flow = subject(call) or Flow()
    flows = list(flows_in(arguments(call))) or [flow]
    merged = merge(call.reader, flows)
    if name not in LINEAR:
        return Tensor(replace(merged, activation="norm", activation_at=call.place, rank=flow.rank, width=flow.width, rows=flow.rows))
    return Tensor(replace(merged, activation="linear", activation_at=call.place, rank=flow.rank, graph=graph_of_weights(call.reader)))


def pool(call: LibraryCall) -> Value:
    """Pooling, padding and resizing keep the kind of value."""
    flow = subject(call) or Flow()
    return Tensor(replace(flow, graph=graph_now(call.reader, flow), width=None, rows=None))


def product(call: LibraryCall) -> Value | None:
    """matmul, bmm, einsum: scores where one side is a weight."""
    flows = list(flows_in(arguments(call)))
    if not flows:
        return None
    weighted = any(flow.activation == "parameter" for flow in flows)
    return Tensor(replace(merge(call.reader, flows), activation="linear" if weighted else None, activation_at=call.place))


def attention(call: LibraryCall) -> Value:
    """F.scaled_dot_product_attention(q, k, v, is_causal=True): a module whose attention always masks the future is a decoder."""
    from advisor.model.recipe import Module
    from advisor.read.python.values import Instance

    owner = call.reader.frame.receiver
    if call.reader.plain(call.get("is_causal", 5)) is True and isinstance(owner, Instance) and isinstance(owner.fact, Module):
        owner.fact.causal = True
    flows = list(flows_in(arguments(call)))
    return Tensor(merge(call.reader, flows) if flows else Flow())


def one_hot(call: LibraryCall) -> Value:
    """F.one_hot(labels)"""
    flow = subject(call) or Flow()
    rank = flow.rank + 1 if flow.rank is not None else None
    classes = call.setting("num_classes", 1, -1)
    width = classes if isinstance(classes, Known) and classes.value != -1 else None
    return Tensor(replace(flow, one_hot=True, graph="none", rank=rank, width=width, dtype="int64"))


def size(call: LibraryCall) -> Value:
    """x.size(0), x.dim(), x.numel()"""
    name = name_of(call)
    flow = subject(call)
    if name in ("dim", "ndimension") and flow is not None and flow.rank is not None:
        return Constant(flow.rank)
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
    if name in ("equal", "allclose", "is_same_size", "is_nonzero"):
        return Opaque("a comparison of tensors", "bool")
    return Tensor(
        replace(
            cut(flow, "a comparison", call.place), activation="comparison", losses=(), dtype="bool", counted=None, per=None, one_hot=False, **measured
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


def quiet(call: LibraryCall) -> Value:
    """Hooks and flags."""
    return NONE


def generic(call: LibraryCall) -> Value | None:
    """Any other function of torch: a tensor from the tensors given, without an activation of its own."""
    given = arguments(call)
    weights = [value for value in given if isinstance(value, Weights)]
    flows = list(flows_in(given))
    if flows:
        measure = {"metric": "regularisation"} if weights and len(flows) == len(weights) else {}
        return Tensor(replace(merge(call.reader, flows), **measure))
    return Tensor(Flow()) if call.name.startswith("torch.nn.functional.") else None


def register(names: Iterable[str], handler: table.Handler, *, methods: bool = True, functions: bool = True) -> None:
    """The same behaviour as a method and as a function of torch, torch.nn.functional and torch.special."""
    for name in names:
        if methods:
            table.METHODS["tensor", name] = handler
        if functions:
            for room in ("torch", "torch.nn.functional", "torch.special"):
                table.FUNCTIONS.setdefault(f"{room}.{name}", handler)


register(ACTIVATIONS, activate)
register(("sigmoid_", "tanh_", "relu_", "exp_", "log_", "leaky_relu_", "elu_"), activate)
register(("item", "tolist"), number, functions=False)
register(("detach", "numpy", "detach_", "__array__"), leave)
register(("argmax", "argmin", "max", "min", "topk", "sort", "argsort", "kthvalue", "mode", "cummax", "cummin", "median"), choose)
register(REDUCTIONS, reduce)
register(("backward",), backward, functions=False)
register(("eq", "ne", "ge", "gt", "lt", "le", "isnan", "isinf", "isfinite", "equal", "allclose", "isclose", "logical_and", "logical_or"), compare)
register(("round", "floor", "ceil", "sign", "trunc", "heaviside"), rounded)
register(
    ("size", "dim", "numel", "nelement", "ndimension", "element_size", "stride", "storage_offset", "data_ptr", "get_device"), size, functions=False
)
table.FUNCTIONS["torch.numel"] = size
register(("retain_grad", "register_hook"), quiet, functions=False)
register(("items", "keys", "values"), entries, functions=False)
register(("cat", "stack", "concat", "hstack", "vstack", "dstack", "concatenate", "where", "block_diag", "column_stack"), combine, methods=False)
table.METHODS["tensor", "where"] = combine
register(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"), dropout, methods=False)
register((*LINEAR, "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"), layer, methods=False)
_POOLS = [f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (1, 2, 3)]
register((*_POOLS, "interpolate", "upsample", "pad", "unfold", "fold", "pixel_shuffle", "grid_sample"), pool, methods=False)
register(("matmul", "bmm", "mm", "einsum", "addmm", "baddbmm", "mv", "dot", "inner", "outer", "tensordot"), product)
table.FUNCTIONS["torch.nn.functional.scaled_dot_product_attention"] = attention
table.FUNCTIONS["torch.nn.functional.one_hot"] = one_hot
table.METHODS["torch.return_types", "__getitem__"] = item
table.PREFIXES["torch"] = generic
table.PREFIXES["torch.nn.functional"] = generic
