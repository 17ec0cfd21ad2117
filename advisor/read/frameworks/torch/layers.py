"""torch.nn: layers with their settings, containers, and what a call of each does to a tensor."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Module
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, LibraryCall
from advisor.read.python.values import NONE, Instance, Mapping, Opaque, Sequence, Tensor, Union, Value, sequence

_CONV: dict[str, Any] = {
    "in_channels": REQUIRED,
    "out_channels": REQUIRED,
    "kernel_size": REQUIRED,
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
}
_NORM: dict[str, Any] = {"num_features": REQUIRED, "eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
_INSTANCE: dict[str, Any] = {**_NORM, "affine": False, "track_running_stats": False}
_RNN: dict[str, Any] = {
    "input_size": REQUIRED,
    "hidden_size": REQUIRED,
    "num_layers": 1,
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
}
_CELL: dict[str, Any] = {"input_size": REQUIRED, "hidden_size": REQUIRED, "bias": True}
_DROP: dict[str, Any] = {"p": 0.5, "inplace": False}
_BLOCK: dict[str, Any] = {
    "d_model": REQUIRED,
    "nhead": REQUIRED,
    "dim_feedforward": 2048,
    "dropout": 0.1,
    "activation": "relu",
    "layer_norm_eps": 1e-5,
    "batch_first": False,
    "norm_first": False,
}
SIGNATURES: dict[str, dict[str, Any]] = {
    "Linear": {"in_features": REQUIRED, "out_features": REQUIRED, "bias": True},
    "LazyLinear": {"out_features": REQUIRED, "bias": True},
    "Bilinear": {"in1_features": REQUIRED, "in2_features": REQUIRED, "out_features": REQUIRED, "bias": True},
    **{f"Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": {**_CONV, "output_padding": 0} for n in (1, 2, 3)},
    **{f"LazyConv{n}d": {key: value for key, value in _CONV.items() if key != "in_channels"} for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": _NORM for n in (1, 2, 3)},
    "SyncBatchNorm": _NORM,
    **{f"InstanceNorm{n}d": _INSTANCE for n in (1, 2, 3)},
    "LayerNorm": {"normalized_shape": REQUIRED, "eps": 1e-5, "elementwise_affine": True, "bias": True},
    "RMSNorm": {"normalized_shape": REQUIRED, "eps": None, "elementwise_affine": True},
    "GroupNorm": {"num_groups": REQUIRED, "num_channels": REQUIRED, "eps": 1e-5, "affine": True},
    "RNN": {
        **{k: v for k, v in _RNN.items() if k in ("input_size", "hidden_size", "num_layers")},
        "nonlinearity": "tanh",
        **{k: v for k, v in _RNN.items() if k not in ("input_size", "hidden_size", "num_layers")},
    },
    "LSTM": {**_RNN, "proj_size": 0},
    "GRU": _RNN,
    "RNNCell": _CELL,
    "LSTMCell": _CELL,
    "GRUCell": _CELL,
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"), _DROP),
    "Embedding": {
        "num_embeddings": REQUIRED,
        "embedding_dim": REQUIRED,
        "padding_idx": None,
        "max_norm": None,
        "norm_type": 2.0,
        "scale_grad_by_freq": False,
        "sparse": False,
    },
    "EmbeddingBag": {
        "num_embeddings": REQUIRED,
        "embedding_dim": REQUIRED,
        "max_norm": None,
        "norm_type": 2.0,
        "scale_grad_by_freq": False,
        "mode": "mean",
        "sparse": False,
    },
    "MultiheadAttention": {"embed_dim": REQUIRED, "num_heads": REQUIRED, "dropout": 0.0, "bias": True},
    "TransformerEncoderLayer": _BLOCK,
    "TransformerDecoderLayer": _BLOCK,
    "TransformerEncoder": {"encoder_layer": REQUIRED, "num_layers": REQUIRED, "norm": None},
    "TransformerDecoder": {"decoder_layer": REQUIRED, "num_layers": REQUIRED, "norm": None},
    "Transformer": {
        "d_model": 512,
        "nhead": 8,
        "num_encoder_layers": 6,
        "num_decoder_layers": 6,
        "dim_feedforward": 2048,
        "dropout": 0.1,
        "activation": "relu",
        "norm_first": False,
    },
    "Softmax": {"dim": None},
    "LogSoftmax": {"dim": None},
    "Softmin": {"dim": None},
    "Softmax2d": {},
    "Sigmoid": {},
    "LogSigmoid": {},
    "Tanh": {},
    **{name: {"inplace": False} for name in ("ReLU", "ReLU6", "SELU", "CELU", "SiLU", "Hardswish", "Mish", "Hardsigmoid")},
    "LeakyReLU": {"negative_slope": 0.01, "inplace": False},
    "ELU": {"alpha": 1.0, "inplace": False},
    "PReLU": {"num_parameters": 1, "init": 0.25},
    "GELU": {"approximate": "none"},
    **{name: {} for name in ("Softplus", "Softsign", "Tanhshrink", "Hardtanh", "Threshold", "RReLU", "GLU")},
    "Flatten": {"start_dim": 1, "end_dim": -1},
    "Unflatten": {"dim": REQUIRED, "unflattened_size": REQUIRED},
    "Identity": {},
    **{
        name: {"kernel_size": REQUIRED, "stride": None, "padding": 0}
        for name in (*(f"MaxPool{n}d" for n in (1, 2, 3)), *(f"AvgPool{n}d" for n in (1, 2, 3)), "LPPool2d", "FractionalMaxPool2d")
    },
    **{f"Adaptive{kind}Pool{n}d": {"output_size": REQUIRED} for kind in ("Avg", "Max") for n in (1, 2, 3)},
    **{
        name: {}
        for name in (
            "Upsample",
            "UpsamplingNearest2d",
            "UpsamplingBilinear2d",
            "PixelShuffle",
            "PixelUnshuffle",
            "ZeroPad2d",
            "ReflectionPad2d",
            "ReplicationPad2d",
            "ReflectionPad1d",
            "ConstantPad1d",
            "ConstantPad2d",
            "Fold",
            "Unfold",
            "CosineSimilarity",
            "PairwiseDistance",
            "ChannelShuffle",
        )
    },
}
ACTIVATIONS = {
    "Softmax": "softmax",
    "Softmax2d": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "logsigmoid",
    "Tanh": "tanh",
    "ReLU": "relu",
    "ReLU6": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "SELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Hardswish": "silu",
    "Mish": "silu",
    "PReLU": "leaky_relu",
    "Softplus": "softplus",
    "Hardtanh": "tanh",
}
KEEPING = frozenset(
    {
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "Dropout3d",
        "AlphaDropout",
        "FeatureAlphaDropout",
        "Flatten",
        "Unflatten",
        "Identity",
        "Upsample",
        "UpsamplingBilinear2d",
        "UpsamplingNearest2d",
        "PixelShuffle",
    }
)
WIDTHS = {"Linear": "out_features", "LazyLinear": "out_features", "Bilinear": "out_features"}
RECURRENT = frozenset({"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"})


def construct(call: LibraryCall, name: str, signature: dict[str, Any]) -> Value:
    """A layer with every setting."""
    fact = Module(call.place, kind=f"torch.nn.{name}", settings=call.settings(signature))
    if name in RECURRENT:
        fact.recurrence = "step" if name.endswith("Cell") else "sequence"
    if name.startswith("Transformer"):
        for key in ("encoder_layer", "decoder_layer"):
            inner = call.get(key, 0) if key in signature else None
            if isinstance(inner, Instance) and isinstance(inner.fact, Module):
                fact.children[key] = inner.fact
    return made(call, fact)


def made(call: LibraryCall, fact: Module, data: dict[str, Any] | None = None) -> Instance:
    """Registers a module that a library call built."""
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(fact.kind, role="module", fact=fact, node=call.node, data=data or {})


def _register(name: str, signature: dict[str, Any]) -> None:
    table.FUNCTIONS[f"torch.nn.{name}"] = lambda call: construct(call, name, signature)
    table.CLASS_ROLES[f"torch.nn.{name}"] = "module"


for _name, _signature in SIGNATURES.items():
    _register(_name, _signature)
for _name in ("Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"):
    table.CLASS_ROLES[f"torch.nn.{_name}"] = "module"


@table.function("torch.nn.Module")
def module(call: LibraryCall) -> Value:
    """nn.Module() itself, used as a holder."""
    return made(call, Module(call.place, kind="torch.nn.Module", user_class=True))


def _fill(fact: Module, items: list[tuple[str, Value]]) -> None:
    for key, value in items:
        for index, member in enumerate(value.members if isinstance(value, Union) else (value,)):
            if isinstance(member, Instance) and isinstance(member.fact, Module):
                fact.children[key if index == 0 else f"{key}|{index}"] = member.fact
            elif isinstance(member, Opaque):
                fact.complete, fact.why = False, f"a part of it could not be read ({member.why})"


@table.function("torch.nn.Sequential", "torch.nn.ModuleList")
def container(call: LibraryCall) -> Value:
    """Sequential(a, b), Sequential(OrderedDict(...)), ModuleList([...])."""
    name = call.name.rpartition(".")[2]
    fact = Module(call.place, kind=call.name)
    given: list[Value] = list(call.arguments.positional)
    exact = call.arguments.exact
    named: list[tuple[str, Value]] = []
    first = given[0] if given else call.get("modules")
    if len(given) <= 1 and isinstance(first, Mapping):
        named = [(str(key), value) for key, value in first.items.items()]
        exact = exact and first.exact
    elif len(given) <= 1 and isinstance(first, Sequence):
        named = [(str(index), value) for index, value in enumerate(first.items)]
        exact = exact and first.exact
    elif name == "ModuleList" and isinstance(first, (Opaque, Instance)):
        exact = False
    else:
        named = [(str(index), value) for index, value in enumerate(given)]
    if not exact:
        fact.complete, fact.why = False, "not all its parts could be read"
        if named and name == "ModuleList":
            fact.complete = all(isinstance(value, Instance) for _, value in named)
    _fill(fact, named)
    return made(call, fact, {"items": tuple(value for _, value in named), "exact": exact})


@table.method("torch.nn.Sequential", "__init__")
@table.method("torch.nn.ModuleList", "__init__")
def container_init(call: LibraryCall) -> Value:
    """super().__init__(...) of a class derived from a container."""
    given = list(call.arguments.positional)
    if len(given) == 1 and isinstance(given[0], Sequence):
        given = list(given[0].items)
    if isinstance(call.this.fact, Module):
        _fill(call.this.fact, [(str(index), value) for index, value in enumerate(given)])
    call.reader.store.write(call.this.data, "items", tuple(given))
    return NONE


@table.function("torch.nn.ModuleDict")
def module_dict(call: LibraryCall) -> Value:
    """ModuleDict({...})"""
    given = call.get("modules", 0)
    fact = Module(call.place, kind=call.name)
    items = {str(key): value for key, value in given.items.items()} if isinstance(given, Mapping) else {}
    if given is not None and not (isinstance(given, Mapping) and given.exact):
        fact.complete, fact.why = False, "not all its parts could be read"
    _fill(fact, list(items.items()))
    return made(call, fact, {"items": items})


@table.method(("torch.nn.ModuleList", "torch.nn.Sequential"), "append", "add_module", "extend", "insert", "register_module")
def append(call: LibraryCall) -> Value:
    """layers.append(layer)"""
    this = call.this
    if call.name.endswith(("add_module", "register_module")):
        return add_module(call)
    value = call.arguments.positional[-1] if call.arguments.positional else None
    added = list(value.items) if isinstance(value, Sequence) else [value] if value is not None else []
    held = tuple(this.data.get("items", ()))
    if isinstance(this.fact, Module):
        _fill(this.fact, [(str(len(held) + index), item) for index, item in enumerate(added)])
    if len(held) < 64:
        call.reader.store.write(this.data, "items", (*held, *added))
    return this


@table.method("module", "add_module", "register_module")
def add_module(call: LibraryCall) -> Value:
    """self.add_module(name, module)"""
    name = call.reader.plain(call.get("name", 0))
    value = call.get("module", 1)
    if value is not None:
        key = name if isinstance(name, str) else f"<{len(call.this.attributes)}>"
        call.reader.store.write(call.this.attributes, key, value)
        if isinstance(call.this.fact, Module):
            _fill(call.this.fact, [(key, value)])
        items = call.this.data.get("items")
        if call.this.kind in ("torch.nn.Sequential", "torch.nn.ModuleList") and (items is None or isinstance(items, tuple)):
            call.reader.store.write(call.this.data, "items", (*(items or ()), value))
    return NONE


def graph_here(call: LibraryCall, *flows: Flow) -> Any:
    """Whether what is computed here keeps its graph."""
    if call.reader.grad_mode == "off":
        return "cut"
    return "kept" if call.reader.grad_mode == "on" else "unknown"


@table.invoke("module")
def forward(call: LibraryCall) -> Value | None:
    """layer(x)"""
    this = call.this
    fact = this.fact
    if not isinstance(fact, Module):
        return None
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Union):
        value = next((member for member in value.members if isinstance(member, Tensor)), value)
    name = fact.name
    if name == "Sequential":
        return _sequential(call, value)
    inner = this.data.get("wrapped")
    if isinstance(inner, Instance):
        return call.reader.call(inner, call.arguments, call.node)
    if this.cls is None and not fact.kind.startswith("torch.nn."):
        return None
    flow = value.flow if isinstance(value, Tensor) else Flow()
    return apply(call, fact, flow)


def _sequential(call: LibraryCall, value: Value | None) -> Value:
    for item in call.this.data.get("items", ()):
        if value is None:
            break
        target = item.members[0] if isinstance(item, Union) else item
        if isinstance(target, Instance):
            from advisor.read.frameworks.table import Arguments

            value = call.reader.call(target, Arguments([value]), call.node)
        else:
            value = Tensor(Flow(graph=graph_here(call)))
    if not call.this.data.get("items") and isinstance(value, Tensor):
        return Tensor(replace(value.flow, activation=None))
    return value if value is not None else Tensor(Flow(graph=graph_here(call)))


def apply(call: LibraryCall, fact: Module, flow: Flow) -> Value:
    """What a library layer makes of a tensor."""
    name = fact.name
    graph = graph_here(call, flow)
    place = fact.place
    if name in ACTIVATIONS:
        dim: Setting = fact.settings.get("dim", ABSENT) if "oftmax" in name else ABSENT
        if name == "Softmax2d":
            dim = Known(-3)
        return Tensor(
            replace(flow, activation=ACTIVATIONS[name], activation_at=place, activation_dim=dim, activation_input=_shallow(flow), graph=graph)
        )
    if name in KEEPING:
        return Tensor(replace(flow, graph=graph, width=None if name in ("Flatten", "Unflatten") and flow.activation is None else flow.width))
    if name in WIDTHS:
        return Tensor(
            replace(
                flow,
                activation="linear",
                activation_at=place,
                width=fact.settings.get(WIDTHS[name], ABSENT),
                graph=graph,
                activation_dim=None,
                part=(),
            )
        )
    if name.startswith(("Conv", "LazyConv")):
        return Tensor(replace(flow, activation="linear", activation_at=place, width=None, graph=graph, activation_dim=None, part=()))
    if name.startswith(("Embedding", "Transformer")):
        return Tensor(
            replace(flow, activation="embedding" if name.startswith("Embedding") else "norm", activation_at=place, width=None, graph=graph, part=())
        )
    if name in RECURRENT:
        output = Tensor(replace(flow, activation="recurrent", activation_at=place, width=fact.settings.get("hidden_size"), graph=graph, part=()))
        if name.endswith("Cell"):
            return sequence([output, output], "tuple") if name == "LSTMCell" else output
        state: Value = sequence([output, output], "tuple") if name == "LSTM" else output
        return sequence([output, state], "tuple")
    if name == "MultiheadAttention":
        output = Tensor(replace(flow, activation="linear", activation_at=place, width=None, graph=graph, part=()))
        return sequence([output, Tensor(replace(flow, activation="softmax", graph=graph, part=()))], "tuple")
    return Tensor(replace(flow, activation="norm" if "Norm" in name else None, activation_at=place, graph=graph, activation_dim=None))


def _shallow(flow: Flow) -> Flow:
    """A flow without its own past, to be kept as the input of an activation."""
    return replace(flow, activation_input=None)


@table.prefix("torch.nn.init")
def initialise(call: LibraryCall) -> Value | None:
    """Initialisers draw from torch's generator, or set constants; they write in place."""
    name = call.name.rpartition(".")[2]
    if name in ("zeros_", "ones_", "constant_", "eye_", "dirac_", "calculate_gain"):
        call.reader.inits.append((name, call.arguments.positional[0] if call.arguments.positional else None, call.place))
    else:
        call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="init")
    return call.arguments.positional[0] if call.arguments.positional else NONE
