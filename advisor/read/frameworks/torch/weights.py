"""Weights met one by one or all at once: freezing, gradients written and cleared by hand, writes in place."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Flow, Module, Parameters
from advisor.model.record import replace
from advisor.model.source import Setting, Unknown, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flows_in, of_weights
from advisor.read.frameworks.torch.parameters import together
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Opaque, Sequence, Tensor, Value, Weights, members, setting

IN_PLACE = (
    "add_", "sub_", "mul_", "div_", "copy_", "clamp_", "normal_", "uniform_", "fill_", "addcmul_", "addcdiv_", "lerp_", "set_", "index_copy_",
    "masked_fill_", "clip_", "clamp_min_", "clamp_max_", "trunc_normal_", "index_add_", "pow_", "neg_", "exponential_", "random_",
)  # fmt: skip
MEASURES = ("norm", "sum", "mean", "abs", "max", "min", "std", "pow", "square", "var", "dot", "exp", "log", "sqrt")
SAME = ("cpu", "cuda", "to", "float", "half", "view", "flatten", "reshape", "contiguous", "t", "transpose", "squeeze", "unsqueeze", "double")


def weights_of(call: LibraryCall) -> Weights:
    """The weights that a method is called on."""
    assert isinstance(call.receiver, Weights)
    return call.receiver


# --- freezing ----------------------------------------------------------------------------------------------------


def uncertain(reader: Reader) -> bool:
    """True in an arm that is not taken with default flags."""
    return any(label != "default" for _, label in reader.conditions)


def freeze(reader: Reader, fact: Module | None, flag: Setting, node: ast.AST, depth: int) -> None:
    """Weights that are trained no longer, or again; under a condition it is not known which.

    What a loop unfreezes and freezes in turn, a discriminator for its own step, is trained. `depth`: the loops around, but for one over the weights.
    """
    value = value_of(flag)
    surely = fact is not None and value is False and not uncertain(reader)
    was = {module: module.trainable for module in fact.walk()} if fact is not None and surely else {}
    if fact is not None:
        for module in fact.walk():
            if depth and value is True:
                reader.switched_on.add(module)
            if depth and value is False and module in reader.switched_on:
                continue
            if uncertain(reader) or not isinstance(value, bool):
                module.trainable = "part" if value is False and module is fact else "unknown"
            else:
                module.trainable = "yes" if value else "no"
        if fact.trainable != "no":
            for whole in reader.recipe.modules:
                if whole.trainable == "no" and fact in whole.walk():
                    whole.trainable = "part"  # its head, say, that is trained again
        elif any(instance.fact is fact for _, instance in reader.unread_modules.values()):
            _may_belong(reader, fact)
    reader.emit(Kind.FREEZE, node, fact, trainable=flag, was=was)


def _may_belong(reader: Reader, fact: Module) -> None:
    """Frozen layers of which nobody knows whose they are: of any model of a library that is not described, so that none is surely trained whole."""
    models = [module for module in reader.recipe.modules if not module.complete and module is not fact]
    if not any(fact in module.children.values() for module in models):
        for module in models:
            module.trainable = "unknown" if module.trainable == "yes" else module.trainable


@table.write("weights", "requires_grad")
def write_requires_grad(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """for p in model.parameters(): p.requires_grad = False"""
    flag = setting(value)
    for module in weights.parameters.modules:
        if weights.parameters.exact:
            freeze(reader, module, flag, node, reader.loop_depth - weights.each)
        else:
            for part in module.walk():
                part.trainable = "unknown" if part is not module else "part"
            reader.emit(Kind.FREEZE, node, module, trainable=flag)


@table.write("weights", "require_grad", "requires_grads", "require_grads", "required_grad", "requiers_grad", "require_gradient", "requires_gradient")
def write_misspelt(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """for p in model.parameters(): p.require_grad = False: a new attribute of the tensor, which torch never looks at."""
    if isinstance(value, Constant) and value.value is False and isinstance(node, ast.Attribute):
        for module in weights.parameters.modules:
            reader.emit(Kind.LOST_FREEZE, node, module, text=f"{reader.text(node)} = False", of="weights")


@table.write("module", "requires_grad")
def write_of_module(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
    """model.encoder.requires_grad = False: an attribute of the module, which its weights know nothing of."""
    if not isinstance(node, ast.Attribute) or (isinstance(node.value, ast.Name) and node.value.id == "self"):
        return  # it notes for itself what it was told
    if isinstance(value, Constant) and value.value is False and isinstance(instance.fact, Module):
        reader.emit(Kind.LOST_FREEZE, node, instance.fact, text=f"{reader.text(node)} = False", of="module")


@table.write("state-tensor", "requires_grad")
def write_of_state(reader: Reader, tensor: Any, value: Value, node: ast.AST) -> None:
    """for name, tensor in model.state_dict().items(): tensor.requires_grad = False: tensors beside the weights, which share their numbers alone."""
    module = tensor.data.get("fact")
    if isinstance(value, Constant) and value.value is False and isinstance(module, Module) and not tensor.data.get("weights"):
        reader.emit(Kind.LOST_FREEZE, node, module, text=f"{reader.text(node)} = False", of="state")


@table.method("weights", "requires_grad_")
def requires_grad(call: LibraryCall) -> Value:
    """p.requires_grad_(False)"""
    write_requires_grad(call.reader, call.receiver, call.get("requires_grad", 0) or Constant(True), call.node)
    return call.receiver or NONE


@table.attribute("weights", "requires_grad")
def flag(reader: Reader, weights: Any) -> Value:
    """Whether a weight is trained: known when the whole model's state is."""
    kinds = {part.trainable for module in weights.parameters.modules for part in module.walk()}
    if kinds == {"yes"}:
        return Constant(True, weak=True)
    return Opaque("whether a parameter is trained", "bool")


# --- gradients and data ------------------------------------------------------------------------------------------


@table.write("weights", "grad", "_grad")
def write_grad(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """p.grad = None clears; anything else writes gradients by hand."""
    if isinstance(value, Constant) and value.value is None:
        _clear(reader, weights, node)
    else:
        reader.emit(Kind.GRAD_WRITE, node, weights.parameters, what="grad")


def _clear(reader: Reader, weights: Weights, node: ast.AST) -> None:
    modules = weights.parameters.modules
    reader.emit(Kind.ZERO_GRAD, node, modules[0] if len(modules) == 1 else None, partial=bool(weights.parameters.filtered))


@table.write("weights", "data")
def write_data(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """p.data = ..., p.grad.data = ..."""
    reader.emit(Kind.GRAD_WRITE, node, weights.parameters, what="grad" if weights.of_grad else "data", source=_source(weights, [value]))


@table.write("module", "weight", "bias")
def write_attribute(reader: Reader, module: Any, value: Value, node: ast.AST) -> None:
    """layer.weight = nn.Parameter(...) in a loop that the layer outlives: it has other weights from turn to turn."""
    made = isinstance(value, Tensor) and value.flow.activation == "parameter"
    if made and module.cls is None and isinstance(module.fact, Module) and module.loops < reader.loop_depth:
        reader.emit(Kind.GRAD_WRITE, node, Parameters((module.fact,)), what="data")


@table.function("torch.nn.utils.vector_to_parameters")
def from_vector(call: LibraryCall) -> Value:
    """vector_to_parameters(vector, model.parameters()) writes all weights."""
    weights = call.get("parameters", 1)
    if isinstance(weights, Weights):
        source = _source(weights, [*call.arguments.positional[:1]])
        call.reader.emit(Kind.GRAD_WRITE, call.node, weights.parameters, what="data", source=source)
    return NONE


@table.method("state-tensor", *IN_PLACE)
def write_state(call: LibraryCall) -> Value:
    """value.copy_(...) on an entry of model.state_dict() writes the weight itself."""
    module = call.this.data.get("fact")
    if isinstance(module, Module) and not call.this.data.get("copied"):
        call.reader.emit(Kind.GRAD_WRITE, call.node, Parameters((module,)), what="in-place")
    return call.this


def _source(weights: Weights, given: Iterable[Value]) -> Module | None:
    """The one other model whose weights are written here: what an average, a target network or a teacher follows."""
    if weights.of_grad:
        return None
    others = {module for flow in flows_in(given) for module in flow.modules}.difference(weights.parameters.modules)
    return others.pop() if len(others) == 1 else None


@table.attribute("weights", "grad")
def gradient(reader: Reader, weights: Any) -> Value:
    """p.grad"""
    return Weights(weights.parameters, weights.each, state=weights.state, of_grad=True)


@table.attribute("weights", "data")
def data(reader: Reader, weights: Any) -> Value:
    """p.data, p.grad.data"""
    return Weights(weights.parameters, weights.each, state=weights.state, of_grad=weights.of_grad)


@table.method("weights", *IN_PLACE)
def write_in_place(call: LibraryCall) -> Value:
    """p.data.add_(...) steps by hand; p.grad.clamp_(...) and p.grad.mul_(factor) clip by hand, a fixed factor scales, an unknown one does either."""
    weights = weights_of(call)
    name = call.name.rpartition(".")[2]
    limit: Setting | None = None
    factor = call.get("other", 0)
    if weights.of_grad and name in ("clamp_", "clip_", "clamp_max_"):
        limit = call.setting("max", 0 if name == "clamp_max_" else 1)
    elif weights.of_grad and name in ("mul_", "div_") and not isinstance(call.reader.plain(factor), (int, float)):
        limit = Unknown("a factor computed from the norm")
    if limit is not None:
        hand = Clip(call.place, kind="hand-written", value=limit, parameters=weights.parameters)
        call.reader.emit(Kind.CLIP, call.node, call.reader.record(hand))
    if limit is None or (factor is not None and getattr(factor, "flow", None) is None and name in ("mul_", "div_")):
        given = (*call.arguments.positional, *call.arguments.keywords.values())
        steps = not weights.of_grad and any(isinstance(m, Weights) and m.of_grad for value in given for m in members(value))
        what, source = "grad" if weights.of_grad else "in-place", _source(weights, given)
        call.reader.emit(Kind.GRAD_WRITE, call.node, weights.parameters, what=what, steps=steps, source=source)
    return weights


@table.method("weights", "zero_", "detach_")
def clear_in_place(call: LibraryCall) -> Value:
    """p.grad.zero_() clears; p.zero_() writes weights."""
    weights = weights_of(call)
    if call.name.endswith("zero_"):
        if weights.of_grad:
            _clear(call.reader, weights, call.node)
        else:
            call.reader.emit(Kind.GRAD_WRITE, call.node, weights.parameters, what="in-place")
    return weights


@table.method("weights", "register_hook", "register_post_accumulate_grad_hook")
def hook(call: LibraryCall) -> Value:
    """p.register_hook(lambda grad: grad.clamp(-1, 1)): a hook may clip the gradients that it is given."""
    call.reader.recipe.clipping.complete, call.reader.recipe.clipping.why = False, "a hook may clip the gradients"
    return Opaque("a hook that can be removed")


# --- what is computed from weights -------------------------------------------------------------------------------


@table.method("weights", "numel", "size", "dim", "nelement", "element_size", "item", "tolist", "data_ptr", "stride")
def size(call: LibraryCall) -> Value:
    """Sizes and single numbers of weights."""
    return Opaque("a measure of weights", "float" if call.name.endswith("item") else "int")


@table.method("weights", *MEASURES)
def measure(call: LibraryCall) -> Value:
    """Norms of weights: a penalty where they have a graph."""
    return Tensor(replace(of_weights(weights_of(call)), activation=None))


@table.method("weights", *SAME)
def same(call: LibraryCall) -> Value:
    """The weights, moved or in another shape."""
    if call.name.endswith((".to", ".cuda")):
        for module in weights_of(call).parameters.modules:
            module.placed = module.placed or call.place
    return Tensor(of_weights(weights_of(call)))


@table.method("weights", "clone", "detach", "numpy")
def copy(call: LibraryCall) -> Value:
    """Copies of weights."""
    return Tensor(Flow(graph="none"))


@table.method("weights", "backward")
def backward(call: LibraryCall) -> Value | None:
    """A weight is no loss."""
    return None


@table.attribute("weights", "T", "mT", "H", "mH")
def transposed(reader: Reader, weights: Any) -> Value:
    """layer.weight.T"""
    return Tensor(of_weights(weights))


@table.attribute("weights", "shape", "ndim", "device", "dtype", "is_cuda", "is_leaf", "grad_fn", "is_sparse")
def known_later(reader: Reader, weights: Any) -> Value:
    """Facts of a weight that are known when it runs."""
    return Opaque("a property of a parameter")


# --- lists of weights --------------------------------------------------------------------------------------------


@table.method("weights", "pop")
def pop(call: LibraryCall) -> Value:
    """params.pop(): one of them."""
    return Weights(weights_of(call).parameters, each=True)


@table.method("weights", "copy")
def listed_again(call: LibraryCall) -> Value:
    """params.copy(): the same weights in another list."""
    return Weights(weights_of(call).parameters, named=weights_of(call).named)


@table.method("weights", "append", "extend")
def extend(call: LibraryCall) -> Value:
    """params = list(a.parameters()); params.extend(b.parameters())"""
    weights = weights_of(call)
    given = call.arguments.positional[0] if call.arguments.positional else None
    more = given.parameters if isinstance(given, Weights) else _listed(given)
    each = isinstance(given, Weights) and given.each
    merged = together([weights.parameters, more], weights.parameters.exact and not each and not uncertain(call.reader))
    weights.parameters = replace(merged, iterator=False)
    return NONE


def _listed(value: Value | None) -> Parameters:
    held = [item.parameters for item in value.items if isinstance(item, Weights)] if isinstance(value, Sequence) else []
    if isinstance(value, Tensor):
        return Parameters(inputs=True)
    return together(held, isinstance(value, Sequence) and len(held) == len(value.items)) if held else Parameters(exact=False)
