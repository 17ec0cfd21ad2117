"""What a call of a library layer makes of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from advisor.model.layers import BATCH_NORMS
from advisor.model.recipe import Flow, Loader, Module
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, number, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes, bounds, heads
from advisor.read.frameworks.torch.flows import flow_of, flows_in, graph_now, graph_of_weights, merge, shallow
from advisor.read.frameworks.torch.packed import Packed
from advisor.read.frameworks.torch.shapes import flat
from advisor.read.python.values import Arguments, Instance, Sequence, Tensor, Union, Value, sequence

ACTIVATIONS = {
    "Softmax": "softmax",
    "Softmax2d": "softmax",
    "Softmin": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Hardsigmoid": "sigmoid",
    "LogSigmoid": "logsigmoid",
    "Tanh": "tanh",
    "Hardtanh": "tanh",
    "Softsign": "tanh",
    "ReLU": "relu",
    "ReLU6": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "leaky_relu",
    "RReLU": "leaky_relu",
    "ELU": "elu",
    "CELU": "elu",
    "SELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Hardswish": "silu",
    "Mish": "silu",
    "Softplus": "softplus",
    "GLU": "glu",
    "Softshrink": "shrink",
    "Hardshrink": "shrink",
    "Tanhshrink": "shrink",
    "Threshold": "threshold",
}
KEEPING = frozenset({
    "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout", "Identity", "Upsample", "UpsamplingBilinear2d",
    "UpsamplingNearest2d", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle",
})  # fmt: skip
EVEN = frozenset({"Dropout", "AlphaDropout", "Identity"})  # of these, those that also keep the shape
MOVING = frozenset({"Flatten", "Unflatten", "Fold", "Unfold", "EmbeddingBag"})  # what may put the samples into another dimension
WIDTHS = {"Linear": "out_features", "LazyLinear": "out_features", "Bilinear": "out_features"}


@table.invoke("module")
@heads.through_layers
def forward(call: LibraryCall) -> Value | None:
    """layer(x)"""
    this, fact = call.this, call.this.fact
    if not isinstance(fact, Module):
        return None
    value = call.arguments.positional[0] if call.arguments.positional else next(iter(call.arguments.keywords.values()), None)
    if isinstance(value, Union):
        value = next((member for member in value.members if isinstance(member, Tensor)), value)
    kind = this.kind if this.cls is not None else fact.kind
    if kind == "torch.nn.Sequential":
        return _sequential(call, value)
    inner = this.data.get("wrapped")
    if isinstance(inner, Instance):
        return call.reader.call(inner, call.arguments, call.node)
    name = kind.removeprefix("torch.nn.")
    if name == kind or name in ("Module", "ModuleList", "ModuleDict"):
        return None
    if name == "CosineSimilarity":
        return Tensor(bounds.within(merge(call.reader, list(flows_in(call.arguments.positional)) or [Flow()]), 1.0))
    result = apply(call, fact, name, flow_of(value) or Flow())
    if name.startswith(("RNN", "LSTM", "GRU", "MultiheadAttention", "Transformer")) and not name.endswith("Cell"):
        axes.walk(call, fact, axes.batch_first(fact))
    return result if name in MOVING else axes.standing(result, axes.of(value))


def _sequential(call: LibraryCall, value: Value | None) -> Value:
    """Each part in turn; where some are not known, neither is the kind of result."""
    items, known = call.this.data.get("items") or (), bool(call.this.data.get("exact", True))
    tail = 0 if known else int(call.this.data.get("tail") or 0)
    if tail:  # however many blocks there are, these come behind them
        value, items, known = _sequence_of(call, value, items[:-tail], False), items[-tail:], True
    return _sequence_of(call, value, items, known)


def _sequence_of(call: LibraryCall, value: Value | None, items: tuple[Value, ...], known: bool) -> Value:
    for item in items:
        if value is None:
            break
        target = item.members[0] if isinstance(item, Union) else item
        if isinstance(target, Instance):
            value = call.reader.call(target, Arguments([value]), call.node)
            if isinstance(value, Tensor) and value.flow.activation_at == call.place and target.fact is not None:
                value = Tensor(replace(value.flow, activation_at=target.fact.place))  # it is no call of its own
        else:
            value, known = Tensor(Flow(graph=graph_of_weights(call.reader))), False
    if value is None:
        return Tensor(Flow(graph=graph_of_weights(call.reader)))
    if (not known or not items) and isinstance(value, Tensor) and call.this.fact is not None:
        return Tensor(replace(merge(call.reader, [value.flow]), graph=graph_of_weights(call.reader))) if not known else value
    return value


def apply(call: LibraryCall, fact: Module, name: str, flow: Flow) -> Value:
    """The result of a layer of torch.nn by its name."""
    place = fact.place
    graph = graph_now(call.reader, flow)
    if name in BATCH_NORMS and flow.activation == "linear" and flow.activation_at is not None:
        given = flow.activation_at, tuple(text for text, _ in call.reader.conditions)
        fact.normalises = fact.normalises if given in fact.normalises else (*fact.normalises, given)
    if name in ACTIVATIONS:
        dim: Setting = fact.settings.get("dim", ABSENT) if name in ("Softmax", "LogSoftmax", "Softmin") else ABSENT
        if name == "Softmax2d":
            dim = Known(-3)
        activation = ACTIVATIONS[name]
        width = flow.width if name != "GLU" else None
        changes: dict[str, Any] = {"activation_dim": dim, "activation_input": shallow(flow), "graph": graph, "width": width, "counted": None}
        return Tensor(replace(flow, activation=activation, activation_at=call.place, **changes))
    if name.endswith("Dropout") and flow.activation == "linear" and flow.activation_at is not None and number(fact.settings.get("p")) != 0:
        flow = replace(flow, dropped=(place, flow.activation_at))
    if name in KEEPING:
        return Tensor(replace(flow, graph=graph) if name in EVEN else replace(flow, graph=graph, width=None))
    if name == "Flatten":
        shape = flat(flow.rank, value_of(fact.settings.get("start_dim")), value_of(fact.settings.get("end_dim")))
        return Tensor(replace(flow, graph=graph, **shape))
    if name == "Unflatten":
        return Tensor(replace(flow, graph=graph, width=None, rank=None))
    if "Pool" in name or "Pad" in name or name in ("Fold", "Unfold"):
        result = Tensor(replace(flow, graph=graph, width=None, rows=None))
        return sequence([result, result], "tuple") if value_of(fact.settings.get("return_indices")) is True else result
    weighted = _weighted(call, flow)
    for prefix, handler in _FAMILIES:
        if name.startswith(prefix):
            return handler(call, fact, weighted)
    return Tensor(replace(weighted, activation="norm" if "Norm" in name else None, activation_at=place, rank=flow.rank, width=flow.width))


def _weighted(call: LibraryCall, flow: Flow) -> Flow:
    """What comes out of a layer with weights: a graph, and nothing of the kind of value that went in."""
    from advisor.read.frameworks.torch.flows import flows_in

    others = [other for other in flows_in([*call.arguments.positional[1:], *call.arguments.keywords.values()]) if other is not flow]
    graph = graph_of_weights(call.reader)
    merged = merge(call.reader, [flow, *others])
    return replace(merged, graph=graph, rows=flow.rows, modules=() if graph == "kept" and merged.graph == "cut" else merged.modules)


def _linear(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    rank = given.rank if given is not None else None
    width = fact.settings.get("out_features", ABSENT)
    return Tensor(replace(flow, activation="linear", activation_at=fact.place, width=width, rank=rank))


def _convolution(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    room = next((int(letter) for letter in fact.name if letter.isdigit()), None)
    return Tensor(replace(flow, activation="linear", activation_at=fact.place, rank=_in_batches(given, room + 2 if room else None)))


def _in_batches(given: Flow | None, rank: int | None) -> int | None:
    """The number of dimensions that a layer is given: where it is not known otherwise, a batch of a loader has the one of the batch."""
    if given is None or given.rank is not None:
        return given.rank if given is not None else None
    loader = given.source
    size = loader.settings.get("batch_size") if isinstance(loader, Loader) else None
    return rank if isinstance(loader, Loader) and not (isinstance(size, Known) and size.value is None) else None


def _embedding(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    bag = fact.name.startswith("EmbeddingBag") or "mode" in fact.settings
    rank = 2 if bag else given.rank + 1 if given is not None and given.rank is not None else None
    looked_up = replace(flow, activation="embedding", activation_at=fact.place, width=fact.settings.get("embedding_dim"), rank=rank)
    if given is not None and given.padded is not None and not bag:
        looked_up = replace(looked_up, padded=given.padded)
    first = call.arguments.positional[0] if call.arguments.positional else None
    return Tensor(looked_up, first.single if isinstance(first, Tensor) and not bag else ())


def _unroll(call: LibraryCall, fact: Module) -> None:
    """A sequence of one entry, with no state from an earlier one that a gradient goes back through, is a single step: a layer that sees nothing
    else is not trained through time. What runs without gradients trains nothing."""
    if call.reader.grad_mode == "off":
        return
    given = call.arguments.positional
    single = given[0].single if given and isinstance(given[0], Tensor) else ()
    states = [*given[1:], *call.arguments.keywords.values()]
    if all(map(_ends_here, states)) and (1 if value_of(fact.settings.get("batch_first")) is True else 0) in single:
        if not call.this.data.get("unrolled"):
            fact.recurrence = "step"
        return
    call.reader.store.write(call.this.data, "unrolled", True)
    fact.recurrence = "sequence"


def _ends_here(state: Value) -> bool:
    """True for a state, or a pair of states, that was detached."""
    if isinstance(state, Sequence):
        return bool(state.items) and state.exact and all(map(_ends_here, state.items))
    return isinstance(state, Tensor) and state.leaves


def _recurrent(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    if not fact.name.endswith("Cell"):
        _unroll(call, fact)
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    rank = _in_batches(given, 2 if fact.name.endswith("Cell") else 3)
    both = value_of(fact.settings.get("bidirectional")) is True
    size = number(fact.settings.get("hidden_size"))
    projected = number(fact.settings.get("proj_size"))
    width: Setting | None = fact.settings.get("hidden_size")
    if both or projected:
        width = Known(int(projected or size or 0) * (2 if both else 1)) if size else None
    output = Tensor(replace(flow, activation="recurrent", activation_at=fact.place, width=width, rank=rank))
    if given is not None and given.padded is not None and value_of(fact.settings.get("batch_first")) is True:
        output = Tensor(replace(output.flow, padded=given.padded))
    hidden = Tensor(replace(flow, activation="recurrent", activation_at=fact.place, width=fact.settings.get("hidden_size"), rank=rank))
    kind = call.this.kind.removeprefix("torch.nn.")
    if kind.endswith("Cell"):
        return sequence([hidden, hidden], "tuple") if kind == "LSTMCell" else hidden
    if call.arguments.positional and isinstance(call.arguments.positional[0], Packed):
        output = Packed(output.flow)
    state: Value = sequence([hidden, hidden], "tuple") if kind == "LSTM" else hidden
    return sequence([output, state], "tuple")


def _attention(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    output = Tensor(replace(flow, activation="linear", activation_at=fact.place, width=fact.settings.get("embed_dim")))
    return sequence([output, Tensor(replace(flow, activation="softmax", activation_at=fact.place, activation_dim=Known(-1)))], "tuple")


def _transformer(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    """The stack ends in a norm where its layers put it last, or where it has one of its own."""
    given = flow_of(call.arguments.positional[0]) if call.arguments.positional else None
    kind = call.this.kind.removeprefix("torch.nn.")
    first = value_of(fact.settings.get("norm_first"))
    layer = next((child for key, child in fact.children.items() if key.endswith("_layer")), None)
    if layer is not None:
        first = False if "norm" in fact.children else value_of(layer.settings.get("norm_first"))
    if kind == "Transformer":
        first = False
    if kind == "TransformerEncoder" and _masks_future(call):
        fact.causal = True
    width = fact.settings.get("d_model") or (layer.settings.get("d_model") if layer is not None else None)
    rank = given.rank if given is not None else None
    return Tensor(replace(flow, activation="norm" if first is False else None, activation_at=fact.place, rank=rank, width=width))


def _masks_future(call: LibraryCall) -> bool:
    """True when an encoder is called with a mask that hides what comes later."""
    mask = call.get("mask", 1)
    flow = flow_of(mask)
    return (flow is not None and flow.activation == "triangle") or call.reader.plain(call.get("is_causal")) is True


def _adaptive_softmax(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    from advisor.read.frameworks.torch.flows import named

    loss = replace(flow, metric="loss", direction="min", reduction="mean")
    return named(call, output=Tensor(replace(flow, activation="log_softmax")), loss=Tensor(loss))


_FAMILIES: tuple[tuple[str, Callable[[LibraryCall, Module, Flow], Value]], ...] = (
    ("Linear", _linear),
    ("LazyLinear", _linear),
    ("Bilinear", _linear),
    ("Conv", _convolution),
    ("LazyConv", _convolution),
    ("Embedding", _embedding),
    ("RNN", _recurrent),
    ("LSTM", _recurrent),
    ("GRU", _recurrent),
    ("MultiheadAttention", _attention),
    ("Transformer", _transformer),
    ("AdaptiveLogSoftmaxWithLoss", _adaptive_softmax),
)


@table.function("torch.nn.Transformer.generate_square_subsequent_mask")
@table.method("torch.nn.Transformer", "generate_square_subsequent_mask")
def triangle(call: LibraryCall) -> Value:
    """The mask that hides the future."""
    return Tensor(Flow(graph="none", activation="triangle", rank=2))


__all__ = ["Sequence"]
