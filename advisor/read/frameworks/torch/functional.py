"""Functions of tensors: activations, what layers compute, what combines several tensors."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Flow, FunctionalDropout
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, LibraryCall
from advisor.read.frameworks.torch import axes, bounds, heads
from advisor.read.frameworks.torch.flows import (
    after,
    arguments,
    flow_of,
    flows_in,
    graph_now,
    graph_of_weights,
    merge,
    name_of,
    of_several,
    shallow,
    subject,
)
from advisor.read.frameworks.torch.naming import register
from advisor.read.frameworks.torch.operators import multiplied
from advisor.read.frameworks.torch.packed import packed
from advisor.read.frameworks.torch.padding import PAD
from advisor.read.python.pins import pinned
from advisor.read.python.values import NONE, Constant, Instance, Tensor, Value, Weights, members

LENGTHS_ON_CPU = (1, 7)  # from this torch on pack_padded_sequence does not copy its lengths there by itself
ROWS_BELOW = ("cat", "concat", "concatenate", "vstack")
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
ELEMENTWISE = (
    "abs", "absolute", "neg", "negative", "sin", "cos", "tan", "sinh", "cosh", "asin", "acos", "atan", "erf", "erfc", "erfinv", "expm1", "frac",
    "logit", "digamma", "lgamma", "cumsum", "cumprod", "logcumsumexp", "sinc", "deg2rad", "rad2deg", "relu6_", "conj", "real", "angle",
)  # fmt: skip
OTHERS = (
    "all", "any", "nonzero", "argwhere", "diag", "diff", "outer", "cross", "atan2", "fmod", "remainder", "lerp", "addcmul", "addcdiv",
    "masked_scatter", "scatter_add", "scatter_reduce", "index_put", "maximum", "minimum", "fmin", "fmax", "renorm", "inverse", "det", "logdet",
    "cholesky", "svd", "qr", "logaddexp", "rsub", "logical_not", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_not", "isin", "quantile",
    "nanquantile", "aminmax", "unique_consecutive", "floor_divide", "float_power", "stft", "heaviside", "xlogy", "hypot", "trapz", "searchsorted",
    "histogram", "cov",
)  # fmt: skip
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
        item=id(call.receiver),
    )
    call.reader.keep.append(call.receiver)
    return NONE


def combine(call: LibraryCall) -> Value:
    """cat, stack, where: several tensors in one."""
    name = name_of(call)
    flows = list(flows_in(arguments(call)))
    if not flows:
        return Tensor(Flow())
    merged = merge(call.reader, flows)
    if name in ROWS_BELOW and call.get("dim", 1) is None and of_several(flows):
        merged = replace(merged, source=None)
    head = flows[0]
    same = all(flow.activation == head.activation for flow in flows)
    ranks = {flow.rank for flow in flows} if name == "where" else {flow.rank for flow in flows} - {None}  # parts of one tensor are alike
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


def _modeless(call: LibraryCall) -> bool:
    """True in a method of a project class that is not known to be a module: who runs it may have no mode."""
    held = call.reader.frame.receiver
    return isinstance(held, Instance) and held.cls is not None and held.role != "module"


def dropout(call: LibraryCall) -> Value:
    """F.dropout(x, p=0.5, training=True); torch.dropout(x, p, train) has no defaults."""
    reader, key = call.reader, ("dropout", id(call.node))
    flow = subject(call) or Flow()
    p = call.setting("p", 1, 0.5)
    training = call.setting("training", 2, True) if call.name.startswith("torch.nn.") else call.setting("train", 2, REQUIRED)
    if any(text.startswith("self.training") or ".training and" in text or text.endswith(".training") for text, _ in reader.conditions):
        training = Unknown("it stands under a condition on the training mode")
    if key not in reader.seen_facts:
        fact = reader.seen_facts[key] = FunctionalDropout(call.place, kind=call.name, p=p, training=training, modeless=_modeless(call))
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
    return Tensor(
        replace(
            merged,
            activation="linear",
            activation_at=call.place,
            rank=flow.rank,
            graph=merged.graph if len(flows) > 1 else graph_of_weights(call.reader),
        )
    )


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
    shape = multiplied(*flows) if name_of(call) in ("matmul", "mm", "bmm") and len(flows) == 2 else {}
    made = replace(merge(call.reader, flows), activation="linear" if weighted else None, activation_at=call.place, **shape)
    made = bounds.within(made, 1.0) if len(flows) == 2 and all(flow.activation == "normalize" for flow in flows) else made
    sides = heads.product(*given) if name_of(call) == "matmul" and len(given := arguments(call)) == 2 else None
    return Tensor(made, sides=sides)


def cosine(call: LibraryCall) -> Value | None:
    """F.cosine_similarity(x, y)"""
    flows = list(flows_in(arguments(call)))
    return Tensor(bounds.within(replace(merge(call.reader, flows), activation_at=call.place), 1.0)) if flows else None


def attention(call: LibraryCall) -> Value:
    """F.scaled_dot_product_attention(q, k, v, is_causal=True): a module whose attention always masks the future is a decoder."""
    from advisor.model.recipe import Module

    owner = call.reader.frame.receiver
    if call.reader.plain(call.get("is_causal", 5)) is True and isinstance(owner, Instance) and isinstance(owner.fact, Module):
        owner.fact.causal = True
    given = arguments(call)
    flows = list(flows_in(given))
    return Tensor(merge(call.reader, flows) if flows else Flow(), sides=heads.product(given[0], given[2]) if len(given) > 2 else None)


def one_hot(call: LibraryCall) -> Value:
    """F.one_hot(labels)"""
    flow = subject(call) or Flow()
    rank = flow.rank + 1 if flow.rank is not None else None
    classes = call.setting("num_classes", 1, -1)
    width = classes if isinstance(classes, Known) and classes.value != -1 else None
    return Tensor(replace(flow, one_hot=True, graph="none", rank=rank, width=width, dtype="int64"))


def quiet(call: LibraryCall) -> Value:
    """Hooks and flags."""
    return NONE


def elementwise(call: LibraryCall) -> Value | None:
    """A function of each entry: the shape stays."""
    flow = subject(call)
    if flow is None:
        return None
    kept = {name: getattr(flow, name) for name in ("rank", "width", "rows", "metric", "direction")}
    return Tensor(replace(merge(call.reader, [flow]), **kept, error=flow.error and name_of(call).startswith("abs")))


def generic(call: LibraryCall) -> Value | None:
    """Any other function of torch: a tensor from the tensors given, without an activation of its own."""
    given = arguments(call)
    weights = [value for value in given if isinstance(value, Weights)]
    flows = list(flows_in(given))
    if flows:
        measure = {"metric": "regularisation"} if weights and len(flows) == len(weights) else {}
        return Tensor(replace(merge(call.reader, flows), **measure))
    return Tensor(Flow()) if call.name.startswith("torch.nn.functional.") else None


@table.function("torch.nn.utils.rnn.pack_padded_sequence")
def pack(call: LibraryCall) -> Value | None:
    """pack_padded_sequence(x, lengths): the lengths have to be on the CPU, where those of a list, and in an old torch all, are put anyhow."""
    given = call.get("lengths", 1)
    placed = [member.flow.placed if isinstance(member, Tensor) and not member.listed else None for member in members(given)] if given else []
    if placed and placed[0] is not None and all(placed) and (pinned(call.reader, "torch") or LENGTHS_ON_CPU) >= LENGTHS_ON_CPU:
        call.reader.recipe.moved_lengths.append((call.place, placed[0]))
    return packed(generic(call))


@table.function("torch.nn.utils.rnn.pack_sequence", "torch.nn.utils.rnn.PackedSequence")
def pack_sequence(call: LibraryCall) -> Value | None:
    """pack_sequence(tensors), PackedSequence(data, batch_sizes)"""
    return packed(generic(call))


@table.function(PAD)
def pad(call: LibraryCall) -> Value | None:
    """pad_sequence(sequences, batch_first=True): zeros behind the end of each."""
    made, side = generic(call), call.get("padding_side", 3)
    behind = side is None or call.reader.plain(side) == "right"
    if not isinstance(made, Tensor) or not behind or call.reader.plain(call.get("batch_first", 1)) is not True:
        return made
    return Tensor(replace(made.flow, padded=call.place))


register(ACTIVATIONS.keys() - {"normalize"}, activate, batch=axes.kept)
register(("normalize",), activate, methods=False)
register(("sigmoid_", "tanh_", "relu_", "exp_", "log_", "leaky_relu_", "elu_"), activate, batch=axes.kept)
register(ELEMENTWISE, elementwise, batch=axes.kept)
register(OTHERS, generic, functions=False)
register(("backward",), backward, functions=False)
register(("retain_grad", "register_hook"), quiet, functions=False)
register(("cat", "stack", "concat", "hstack", "vstack", "dstack", "concatenate", "where", "block_diag", "column_stack"), combine, methods=False)
table.METHODS["tensor", "where"] = combine
register(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"), dropout, methods=False, batch=axes.kept)
register((*LINEAR, "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"), layer, methods=False, batch=axes.kept)
_POOLS = [f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (1, 2, 3)]
register(_POOLS, pool, methods=False, batch=axes.kept)
register(("interpolate", "upsample", "pad", "unfold", "fold", "pixel_shuffle", "grid_sample"), pool, methods=False)
register(("matmul", "bmm", "mm", "einsum", "addmm", "baddbmm", "mv", "dot", "inner", "outer", "tensordot"), product)
table.FUNCTIONS["torch.nn.functional.scaled_dot_product_attention"] = attention
table.FUNCTIONS["torch.nn.functional.one_hot"] = one_hot
table.FUNCTIONS["torch.nn.functional.cosine_similarity"] = table.FUNCTIONS["torch.cosine_similarity"] = cosine
table.PREFIXES["torch"] = generic
table.PREFIXES["torch.nn.functional"] = generic
