"""Tensors: functions and methods, operators, what keeps a softmax a softmax, what cuts the graph."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.losses import flow_of
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Opaque, Sequence, Tensor, Value, Weights, sequence, setting

KEEP = [
    "view",
    "reshape",
    "squeeze",
    "unsqueeze",
    "permute",
    "transpose",
    "contiguous",
    "to",
    "cuda",
    "cpu",
    "float",
    "double",
    "half",
    "bfloat16",
    "type",
    "type_as",
    "flatten",
    "expand",
    "expand_as",
    "repeat",
    "clone",
    "t",
    "movedim",
    "swapaxes",
    "swapdims",
    "view_as",
    "reshape_as",
    "rename",
    "requires_grad_",
    "pin_memory",
    "chunk",
    "split",
    "unbind",
    "narrow",
    "index_select",
    "gather",
    "take",
    "masked_select",
    "unflatten",
    "tile",
    "repeat_interleave",
    "flip",
    "roll",
    "long",
    "int",
    "bool",
    "resize_",
    "resize",
    "ravel",
    "share_memory_",
    "nan_to_num",
    "sparse_resize_",
    "to_dense",
    "coalesce",
]
ACTIVATE = {
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softmin": "softmax",
    "gumbel_softmax": "softmax",
    "sigmoid": "sigmoid",
    "sigmoid_": "sigmoid",
    "logsigmoid": "logsigmoid",
    "tanh": "tanh",
    "tanh_": "tanh",
    "relu": "relu",
    "relu_": "relu",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "hardswish": "silu",
    "mish": "silu",
    "softplus": "softplus",
    "exp": "exp",
    "log": "log",
    "log2": "log",
    "log10": "log",
    "log1p": "log1p",
    "normalize": "normalize",
}
RANDOM = ["rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like", "randn_like", "randint_like", "poisson"]
PLAIN = [
    "tensor",
    "as_tensor",
    "from_numpy",
    "zeros",
    "ones",
    "full",
    "empty",
    "arange",
    "linspace",
    "eye",
    "zeros_like",
    "ones_like",
    "full_like",
    "empty_like",
    "LongTensor",
    "FloatTensor",
    "Tensor",
    "IntTensor",
    "BoolTensor",
    "DoubleTensor",
    "HalfTensor",
    "ByteTensor",
    "frombuffer",
    "asarray",
    "tril",
    "triu",
    "tril_indices",
    "meshgrid",
    "complex",
]
REDUCE = ("sum", "mean", "nanmean", "nansum", "norm", "var", "std", "logsumexp", "prod", "trace", "median", "dist", "numel")
NUMBERS = ["item", "tolist"]


def _all(call: LibraryCall) -> list[Value]:
    receiver = [call.receiver] if call.receiver is not None else []
    return [*receiver, *call.arguments.positional, *call.arguments.keywords.values()]


def _subject(call: LibraryCall) -> Flow | None:
    """The tensor that a function or method works on."""
    if call.receiver is not None:
        return flow_of(call.receiver)
    for value in (call.get("input", 0), *call.arguments.positional[:1]):
        found = flow_of(value)
        if found is not None:
            return found
    return None


def graph_now(reader: Reader, flow: Flow) -> Any:
    """The graph state of something computed from a flow here."""
    if reader.grad_mode == "off" and flow.graph == "kept":
        return "cut"
    return flow.graph


def _shift(call: LibraryCall) -> int:
    return -1 if call.receiver is not None else 0


def keep(call: LibraryCall) -> Value | None:
    """Operations that only move or select entries."""
    flow = _subject(call)
    if flow is None:
        return None
    name = call.name.rpartition(".")[2]
    if name in ("chunk", "split", "unbind"):
        item = Tensor(replace(flow, graph=graph_now(call.reader, flow)))
        return sequence([item, item], "tuple", exact=False)
    width = (
        flow.width
        if name in ("to", "cuda", "cpu", "float", "double", "half", "bfloat16", "clone", "contiguous", "long", "int", "type", "squeeze")
        else None
    )
    if name == "squeeze":
        width = None
    changes: dict[str, Any] = {"graph": graph_now(call.reader, flow), "width": width}
    if name in ("long", "int", "bool"):
        changes.update(dtype=name, graph="cut" if flow.graph == "kept" else flow.graph, cut_by=f".{name}()", cut_at=call.place, losses=())
    elif name in ("float", "double", "half"):
        changes["dtype"] = name
    if name in ("unsqueeze", "squeeze", "view", "reshape", "flatten", "transpose", "permute"):
        changes["shape_op"] = None
        changes.pop("shape_op")
    return Tensor(replace(flow, **changes))


def activate(call: LibraryCall) -> Value | None:
    """Activations, by function or method."""
    flow = _subject(call)
    name = call.name.rpartition(".")[2]
    if flow is None:
        if call.receiver is None and _all(call) and not isinstance(_all(call)[0], (Constant,)):
            flow = Flow()
        else:
            return None
    dim: Setting = ABSENT
    if "softm" in name:
        dim = call.setting("dim", 1 + _shift(call), None)
    activation = ACTIVATE[name]
    if activation == "log":
        call.reader.recipe.logs.append((call.place, flow))
    return Tensor(
        replace(
            flow,
            activation=activation,
            activation_at=call.place,
            activation_dim=dim,
            activation_input=replace(flow, activation_input=None),
            graph=graph_now(call.reader, flow),
        )
    )


def number(call: LibraryCall) -> Value | None:
    """.item() and .tolist() leave the graph."""
    flow = _subject(call)
    if flow is None:
        return None
    cut = replace(flow, graph="cut" if flow.graph != "none" else "none", cut_by=f".{call.name.rpartition('.')[2]}()", cut_at=call.place)
    return Opaque("a number taken from a tensor", "float", flow=cut)


def cut(call: LibraryCall) -> Value | None:
    """.detach(), .numpy() leave the graph."""
    flow = _subject(call)
    if flow is None:
        return None
    name = call.name.rpartition(".")[2]
    return Tensor(replace(flow, graph="cut" if flow.graph != "none" else "none", cut_by=f".{name}()", cut_at=call.place))


def choose(call: LibraryCall) -> Value | None:
    """argmax, max over a dimension, topk: indices have no gradient."""
    flow = _subject(call)
    if flow is None:
        return None
    name = call.name.rpartition(".")[2]
    dim = call.setting("dim", 1 + _shift(call), None)
    index = Tensor(
        replace(
            flow,
            activation="argmax",
            activation_at=call.place,
            activation_dim=dim,
            activation_input=replace(flow, activation_input=None),
            graph="cut" if flow.graph != "none" else "none",
            cut_by=f"{name}",
            cut_at=call.place,
            width=None,
            losses=(),
        )
    )
    if name == "argmax" or name == "argmin" or name == "argsort":
        return index
    values = Tensor(replace(flow, graph=graph_now(call.reader, flow), width=None))
    has_dim = call.get("dim", 1 + _shift(call)) is not None
    if name in ("max", "min") and not has_dim:
        return Tensor(replace(flow, activation=None, width=None, graph=graph_now(call.reader, flow)))
    second = call.get("other", 1 + _shift(call))
    if name in ("max", "min") and isinstance(second, (Tensor, Opaque)):
        return Tensor(replace(flow, activation=None, graph=graph_now(call.reader, flow)))
    return sequence([values, index], "tuple")


def reduce(call: LibraryCall) -> Value | None:
    """Sums and means: of a loss they set its reduction."""
    flow = _subject(call)
    if flow is None:
        return None
    name = call.name.rpartition(".")[2]
    changes: dict[str, Any] = {"graph": graph_now(call.reader, flow), "width": None}
    if not flow.losses:
        changes["activation"] = None
    if (flow.losses and name in ("sum", "mean")) or name in ("sum", "mean"):
        changes["reduction"] = name
    return Tensor(replace(flow, **changes))


def backward(call: LibraryCall) -> Value:
    """loss.backward()"""
    reader = call.reader
    flow = flow_of(call.receiver) or Flow()
    scaled = reader.scaled.get(id(flow))
    reader.emit(
        Kind.BACKWARD,
        call.node,
        flow=flow,
        scaler=scaled[1] if scaled is not None else None,
        retain_graph=call.setting("retain_graph", 1, None),
        create_graph=call.setting("create_graph", 2, False),
    )
    return NONE


def random(call: LibraryCall) -> Value:
    """Random tensors."""
    call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="noise", generator=call.get("generator") is not None)
    return Tensor(Flow(graph="none", activation="random"))


def plain(call: LibraryCall) -> Value:
    """Constant tensors; torch.tensor(loss) cuts the graph."""
    name = call.name.rpartition(".")[2]
    value = call.arguments.positional[0] if call.arguments.positional else call.get("data")
    flow = flow_of(value)
    if name in ("tensor", "Tensor", "as_tensor", "FloatTensor", "LongTensor", "from_numpy", "asarray"):
        trained = call.reader.plain(call.get("requires_grad")) is True
        if trained and (flow is None or flow.graph not in ("kept", "cut")):
            return Tensor(Flow(graph="kept", activation="parameter"))
        if flow is not None:
            cut_graph = flow.graph if name == "as_tensor" else ("cut" if flow.graph in ("kept", "cut") else "none")
            return Tensor(replace(flow, graph=cut_graph, cut_by=f"torch.{name}", cut_at=call.place))
        return Tensor(Flow(graph="none", source=getattr(value, "data", {}).get("identity") if hasattr(value, "data") else None))
    if call.reader.plain(call.get("requires_grad")) is True:
        return Tensor(Flow(graph="kept", activation="parameter"))
    return Tensor(Flow(graph="none"))


def combine(call: LibraryCall) -> Value:
    """cat, stack, where: several tensors in one."""
    flows: list[Flow] = []
    for value in _all(call):
        for item in value.items if isinstance(value, Sequence) else (value,):
            found = flow_of(item)
            if found is not None:
                flows.append(found)
    name = call.name.rpartition(".")[2]
    if not flows:
        return Tensor(Flow())
    return Tensor(merge(call.reader, flows, keep_activation=name in ("cat", "stack", "concat", "hstack", "vstack", "concatenate")))


def merge(reader: Reader, flows: list[Flow], keep_activation: bool = False) -> Flow:
    """A tensor computed from several."""
    head = flows[0]
    kinds = {flow.graph for flow in flows}
    graph: Any = "kept" if "kept" in kinds else "cut" if "cut" in kinds and kinds <= {"cut", "none"} else "none" if kinds == {"none"} else "unknown"
    if graph == "kept" and reader.grad_mode == "off":
        graph = "cut"
    same = all(flow.activation == head.activation for flow in flows)
    return replace(
        head,
        activation=head.activation if keep_activation and same else None,
        width=None,
        part=(),
        modules=tuple(dict.fromkeys(m for flow in flows for m in flow.modules)),
        sources=tuple(dict.fromkeys(s for flow in flows for s in (flow.source, *flow.sources) if s is not None)),
        losses=tuple(dict.fromkeys(loss for flow in flows for loss in flow.losses)),
        graph=graph,
    )


def dropout(call: LibraryCall) -> Value | None:
    """F.dropout(x, p, training=True)"""
    flow = _subject(call) or Flow()
    found = getattr(call.reader.recipe, "dropouts", None)
    if found is not None and isinstance(found, list):
        from advisor.model import recipe as facts

        kind = getattr(facts, "FunctionalDropout", None)
        if kind is not None:
            found.append(kind(call.place, p=call.setting("p", 1, 0.5), training=call.setting("training", 2, True)))
    call.reader.emit(
        Kind.DRAW,
        call.node,
        None,
        library="torch",
        what=call.name,
        use="augment",
        training=call.setting("training", 2, True),
        p=call.setting("p", 1, 0.5),
    )
    return Tensor(replace(flow, graph=graph_now(call.reader, flow)))


def layer_function(call: LibraryCall) -> Value:
    """F.linear, F.conv2d, pooling, matmul: a linear output."""
    flow = _subject(call) or Flow()
    name = call.name.rpartition(".")[2]
    linear = name in ("linear", "conv1d", "conv2d", "conv3d", "bilinear", "addmm", "matmul", "bmm", "mm", "einsum", "conv_transpose2d")
    flows = [found for value in _all(call) if (found := flow_of(value)) is not None] or [flow]
    merged = merge(call.reader, flows)
    return Tensor(
        replace(
            merged,
            activation="linear" if linear else "norm" if "norm" in name else None,
            activation_at=call.place,
            graph="kept" if call.reader.grad_mode == "on" and linear else merged.graph,
        )
    )


def one_hot(call: LibraryCall) -> Value:
    """F.one_hot(labels)"""
    flow = _subject(call) or Flow()
    return Tensor(replace(flow, one_hot=True, graph="none"))


def size(call: LibraryCall) -> Value:
    """x.size(0), x.dim(), x.numel()"""
    name = call.name.rpartition(".")[2]
    if name == "size" and not call.arguments.positional and "dim" not in call.arguments.keywords:
        return sequence([Opaque("a size", "int")], "tuple", exact=False)
    return Opaque("a size", "int")


def variable(call: LibraryCall) -> Value:
    """Variable(x): the tensor itself."""
    return call.arguments.positional[0] if call.arguments.positional else Tensor(Flow())


def compare(call: LibraryCall) -> Value:
    """eq, ge, lt: no gradient."""
    flow = _subject(call) or Flow()
    name = call.name.rpartition(".")[2]
    other = call.get("other", 1 + _shift(call))
    if isinstance(other, Constant) and name in ("ge", "gt", "lt", "le", "round"):
        call.reader.recipe.thresholds.append((call.place, flow, setting(other)))
    return Tensor(
        replace(
            flow,
            activation="comparison",
            graph="cut" if flow.graph != "none" else "none",
            cut_by="a comparison",
            cut_at=call.place,
            losses=(),
            **(agreement(Tensor(flow), other) if name == "eq" else {}),
        )
    )


def in_place(call: LibraryCall) -> Value:
    """x.add_(...) gives x."""
    return call.receiver or Tensor(Flow())


def retain(call: LibraryCall) -> Value:
    """Hooks and flags."""
    return NONE


def generic(call: LibraryCall) -> Value | None:
    """Any other function of torch: a tensor from the tensors given, without an activation of its own."""
    given = _all(call)
    flows = [found for value in given if (found := flow_of(value)) is not None]
    weights = [value for value in given if isinstance(value, Weights)]
    if weights:
        modules = tuple(m for value in weights for m in value.parameters.modules)
        return Tensor(Flow(modules=modules, graph="none" if weights[0].of_grad else "kept", metric="regularisation"))
    if not flows:
        return Tensor(Flow()) if call.name.startswith("torch.nn.functional.") else None
    return Tensor(merge(call.reader, flows))


def _register(names: Any, handler: Any, functional: bool = True) -> None:
    for name in names:
        table.METHODS["tensor", name] = handler
        if functional:
            table.FUNCTIONS.setdefault(f"torch.{name}", handler)
            table.FUNCTIONS.setdefault(f"torch.nn.functional.{name}", handler)
            table.FUNCTIONS.setdefault(f"torch.special.{name}", handler)


_register(KEEP, keep)
_register(ACTIVATE, activate)
_register(NUMBERS, number, functional=False)
_register(("detach", "numpy", "detach_", "__array__"), cut)
_register(("argmax", "argmin", "max", "min", "topk", "sort", "argsort", "kthvalue", "mode"), choose)
_register(REDUCE, reduce)
_register(("backward",), backward, functional=False)
_register(("eq", "ne", "ge", "gt", "lt", "le", "round", "isnan", "isinf", "isfinite", "equal", "allclose"), compare)
_register(("size", "dim", "numel", "nelement", "ndimension", "element_size", "stride"), size, functional=False)
_register(("retain_grad", "register_hook"), retain, functional=False)
_register(
    ("zero_", "add_", "mul_", "sub_", "div_", "copy_", "fill_", "clamp_", "uniform_", "normal_", "scatter_", "index_fill_", "masked_fill_"),
    in_place,
    functional=False,
)
for _name in RANDOM:
    table.FUNCTIONS[f"torch.{_name}"] = random
for _name in PLAIN:
    table.FUNCTIONS[f"torch.{_name}"] = plain
for _name in ("cat", "stack", "concat", "hstack", "vstack", "where", "block_diag", "concatenate"):
    table.FUNCTIONS[f"torch.{_name}"] = combine
for _name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"):
    table.FUNCTIONS[f"torch.nn.functional.{_name}"] = dropout
for _name in (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "bilinear",
    "conv_transpose2d",
    "max_pool2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "max_pool1d",
    "avg_pool1d",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "instance_norm",
    "interpolate",
    "pad",
    "embedding",
    "scaled_dot_product_attention",
    "unfold",
    "fold",
    "upsample",
):
    table.FUNCTIONS[f"torch.nn.functional.{_name}"] = layer_function
for _name in ("matmul", "bmm", "mm", "einsum", "addmm"):
    table.FUNCTIONS[f"torch.{_name}"] = layer_function
    table.METHODS["tensor", _name] = layer_function
table.FUNCTIONS["torch.nn.functional.one_hot"] = one_hot
table.FUNCTIONS["torch.Tensor.variable"] = variable
table.PREFIXES["torch"] = generic
table.PREFIXES["torch.nn.functional"] = generic


@table.attribute("tensor", "data")
def data(reader: Reader, value: Any) -> Value:
    """x.data leaves the graph."""
    flow = value.flow
    return Tensor(replace(flow, graph="cut" if flow.graph != "none" else "none", cut_by=".data"))


@table.attribute("tensor", "grad")
def grad(reader: Reader, value: Any) -> Value:
    """x.grad of a leaf tensor."""
    return Tensor(Flow(graph="none", metric="gradient"))


@table.attribute("tensor", "shape", "ndim", "device", "dtype", "is_cuda", "requires_grad", "grad_fn")
def shape(reader: Reader, value: Any) -> Value:
    """Facts of a tensor that are known when it runs."""
    return Opaque("a property of a tensor")


@table.attribute("tensor", "T", "mT", "H")
def transposed(reader: Reader, value: Any) -> Value:
    """x.T"""
    return value  # type: ignore[no-any-return]


@table.write("tensor", "requires_grad")
def write_flag(reader: Reader, value: Any, new: Value, node: ast.AST) -> None:
    """x.requires_grad = True"""


@table.write("tensor", "grad")
def write_tensor_grad(reader: Reader, value: Any, new: Value, node: ast.AST) -> None:
    """x.grad = ..."""
    if isinstance(new, Constant) and new.value is None:
        reader.emit(Kind.ZERO_GRAD, node, None, partial=False)
    else:
        reader.emit(Kind.GRAD_WRITE, node, None, what="grad")


# --- operators ---------------------------------------------------------------------------------------------------


def _side(value: Value) -> Flow | None:
    if isinstance(value, Weights):
        return Flow(modules=tuple(value.parameters.modules), graph="none" if value.of_grad else "kept", metric="regularisation")
    return flow_of(value)


def binary(reader: Reader, symbol: str, left: Value, right: Value, node: ast.AST) -> Value | None:
    """left op right where a tensor, or a number taken from one, is involved."""
    one, two = _side(left), _side(right)
    tensors = isinstance(left, (Tensor, Weights)) or isinstance(right, (Tensor, Weights))

    def made(flow: Flow) -> Value:
        if tensors:
            return Tensor(replace(flow, graph="cut" if reader.grad_mode == "off" and flow.graph == "kept" else flow.graph))
        return Opaque("a number computed from tensors", "float", flow=flow)

    if one is not None and two is not None:
        merged = merge(reader, [one, two])
        if symbol in ("+", "-"):
            others = (not one.losses) != (not two.losses)
            plain_side = two if one.losses else one
            real = others and plain_side.graph != "none" and plain_side.metric != "loss"
            head = one if one.losses else two
            return made(
                replace(
                    merged,
                    reduction=head.reduction,
                    metric=head.metric if head.losses else merged.metric,
                    direction=head.direction,
                    divided=(*one.divided, *two.divided)[:4],
                    other_terms=one.other_terms or two.other_terms or real,
                    activation=None,
                )
            )
        if symbol == "/":
            divided = (*one.divided, setting(Opaque("a tensor"))) if one.losses else one.divided
            return made(
                replace(
                    one,
                    modules=merged.modules,
                    sources=merged.sources,
                    losses=merged.losses,
                    divided=divided,
                    activation=None,
                    graph=merged.graph,
                    width=None,
                    metric=one.metric,
                )
            )
        if symbol == "@":
            return made(replace(merged, activation="linear", activation_at=reader.place(node)))
        if symbol == "*" and one.losses and not two.losses:
            return made(
                replace(
                    merged,
                    reduction=one.reduction,
                    metric=one.metric,
                    direction=one.direction,
                    divided=(*one.divided, Unknown("it is multiplied by a tensor")),
                )
            )
        if symbol == "*" and two.losses and not one.losses:
            return made(
                replace(
                    merged,
                    reduction=two.reduction,
                    metric=two.metric,
                    direction=two.direction,
                    divided=(*two.divided, Unknown("it is multiplied by a tensor")),
                )
            )
        return made(replace(merged, reduction=one.reduction, metric=one.metric or two.metric, direction=one.direction or two.direction))
    flow = one if one is not None else two
    if flow is None:
        return None
    other = right if one is not None else left
    known = setting(other)
    if symbol == "/" and one is not None:
        return made(replace(flow, divided=(*flow.divided, known)[-4:], activation=flow.activation if flow.losses else _scaled(flow)))
    if symbol == "*":
        scale: Setting = Unknown("a factor") if not isinstance(known, Known) else known
        inverse = _inverse(known)
        return made(
            replace(
                flow,
                divided=(*flow.divided, inverse if inverse is not None else Unknown(f"it is multiplied by {getattr(scale, 'value', 'a factor')}"))[
                    -4:
                ],
                activation=_scaled(flow),
            )
        )
    if symbol in ("+", "-"):
        if symbol == "+" and isinstance(other, Constant) and other.value == 0:
            return made(flow)
        small = isinstance(other, Constant) and isinstance(other.value, (int, float)) and 0 < abs(other.value) < 1e-2
        unknown_term = not isinstance(other, Constant) and flow.losses and isinstance(other, Opaque) and other.type not in ("int", "float")
        floor = small and symbol == "+"
        return made(
            replace(
                flow,
                activation=f"{flow.activation}+floor"
                if floor and flow.activation in ("softmax", "sigmoid")
                else None
                if symbol == "-" and flow.activation in ("softmax", "sigmoid")
                else _scaled(flow),
                other_terms=flow.other_terms or bool(unknown_term),
                **(turned(flow) if symbol == "-" and one is None else {}),
            )
        )
    return made(replace(flow, activation=None))


def turned(flow: Flow) -> dict[str, Any]:
    """What changes when a measurement is negated or subtracted from one: it should go the other way."""
    if flow.direction is None:
        return {}
    return {"direction": None if flow.losses else "min" if flow.direction == "max" else "max", "metric": None}


def agreement(one: Value | None, two: Value | None) -> dict[str, Any]:
    """What `prediction == label` measures: the side that went through a model against one that did not."""
    flows = [value.flow for value in (one, two) if isinstance(value, Tensor)]
    hit = len(flows) == 2 and bool(flows[0].modules) != bool(flows[1].modules)
    return {"metric": "accuracy", "direction": "max"} if hit else {}


def _scaled(flow: Flow) -> str | None:
    """A linear output stays linear when it is scaled or shifted; probabilities do not stay probabilities."""
    return flow.activation if flow.activation in ("linear", "norm", "random") else None


def _inverse(value: Setting) -> Setting | None:
    if isinstance(value, Known) and isinstance(value.value, (int, float)) and value.value and 0 < abs(value.value) < 1:
        return Known(1 / value.value, value.origin, weak=value.weak, place=value.place)
    return None


def unary(reader: Reader, symbol: str, value: Value, node: ast.AST) -> Value | None:
    """-x"""
    flow = flow_of(value)
    if flow is None:
        return None
    return Tensor(replace(flow, activation=None if symbol != "+" else flow.activation, **(turned(flow) if symbol == "-" else {})))


def subscript(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value | None:
    """x[i], x[:, 0], batch["labels"]"""
    flow = flow_of(owner)
    if flow is None:
        return None
    key = index.value if isinstance(index, Constant) and isinstance(index.value, (int, str)) else None
    if key is not None and flow.source is not None and len(flow.part) < 6 and flow.activation is None:
        return Tensor(replace(flow, part=(*flow.part, key)))
    return Tensor(replace(flow, width=None if not isinstance(index, Constant) else flow.width))


table.TENSORS["binary"] = binary
table.TENSORS["unary"] = unary
table.TENSORS["subscript"] = subscript
table.TENSORS["agreement"] = agreement  # type: ignore[assignment]
table.TENSORS["turned"] = turned  # type: ignore[assignment]
