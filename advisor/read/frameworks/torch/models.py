"""What any nn.Module can do: parameters, modes, freezing, moving, wrapping, state."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Module, Parameters
from advisor.model.record import replace
from advisor.model.source import Known, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Constant,
    Function,
    Instance,
    Opaque,
    Partial,
    Tensor,
    Union,
    Value,
    Weights,
    sequence,
    setting,
)


def module_of(value: Value | None) -> Module | None:
    """The module fact of a value (the default path's)."""
    for member in value.members if isinstance(value, Union) else (value,):
        if isinstance(member, Instance) and isinstance(member.fact, Module):
            return member.fact
    return None


def _fact(call: LibraryCall) -> Module | None:
    return call.this.fact if isinstance(call.this.fact, Module) else None


@table.method("module", "parameters")
def parameters(call: LibraryCall) -> Value:
    """model.parameters(): a generator."""
    fact = _fact(call)
    return Weights(Parameters((fact,) if fact is not None else (), exact=fact is not None, iterator=True))


@table.method("module", "named_parameters")
def named_parameters(call: LibraryCall) -> Value:
    """model.named_parameters()"""
    fact = _fact(call)
    return Weights(Parameters((fact,) if fact is not None else (), exact=fact is not None, iterator=True), named=True)


@table.method("module", "buffers", "named_buffers")
def buffers(call: LibraryCall) -> Value:
    """Running statistics and the like."""
    return Opaque("the buffers of a module", "list")


@table.method("module", "modules", "children", "named_modules", "named_children")
def modules(call: LibraryCall) -> Value:
    """The parts of a model: those that are library layers, by kind."""
    fact = _fact(call)
    named = "named" in call.name
    parts: list[Value] = []
    if fact is not None:
        found = list(fact.children.items()) if "children" in call.name else [(name, m) for name, m in _walk(fact)]
        for name, part in found[:60]:
            item: Value = call.reader.instance(part.kind, role="module", fact=part)
            parts.append(sequence([Constant(name), item], "tuple") if named else item)
    return sequence(parts, "generator", exact=False)


def _walk(fact: Module) -> list[tuple[str, Module]]:
    return [(str(index), part) for index, part in enumerate(fact.walk())]


@table.method("module", "train")
def train(call: LibraryCall) -> Value:
    """model.train([mode])"""
    flag = call.get("mode", 0)
    truth = True if flag is None else call.reader.strong_truth(flag)
    kind = Kind.TRAIN_MODE if truth is True else Kind.EVAL_MODE if truth is False else Kind.MODE_UNKNOWN
    call.reader.emit(kind, call.node, _fact(call))
    if call.this.cls is not None and flag is None:
        _parts_mode(call, kind)
    return call.this


def _parts_mode(call: LibraryCall, kind: Kind) -> None:
    """A holder that is no module but keeps several (a GAN's wrapper) passes the call on by itself."""


@table.method("module", "eval")
def evaluate(call: LibraryCall) -> Value:
    """model.eval()"""
    call.reader.emit(Kind.EVAL_MODE, call.node, _fact(call))
    return call.this


@table.method("module", "requires_grad_")
def requires_grad(call: LibraryCall) -> Value:
    """model.requires_grad_(flag)"""
    flag = call.setting("requires_grad", 0, True)
    _freeze(call.reader, _fact(call), flag, call.node)
    return call.this


def _freeze(reader: Reader, fact: Module | None, flag: Any, node: ast.AST) -> None:
    value = value_of(flag)
    if fact is not None:
        part = bool(reader.conditions)
        for module in fact.walk():
            if value is False:
                module.trainable = "part" if part and module is fact else "unknown" if part else "no"
            elif value is True:
                module.trainable = "yes" if not part else "unknown"
            else:
                module.trainable = "unknown"
    reader.emit(Kind.FREEZE, node, fact, trainable=flag)


@table.write("weights", "requires_grad")
def write_requires_grad(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """for p in model.parameters(): p.requires_grad = False"""
    for module in weights.parameters.modules:
        whole = weights.parameters.exact
        flag = setting(value)
        if whole and not _own_branch(reader):
            _freeze(reader, module, flag, node)
        else:
            for part in module.walk():
                part.trainable = "unknown" if part is not module else "part"
            reader.emit(Kind.FREEZE, node, module, trainable=flag)


def _own_branch(reader: Reader) -> bool:
    return bool(reader.conditions)


@table.method("weights", "requires_grad_")
def weights_requires_grad(call: LibraryCall) -> Value:
    """p.requires_grad_(False)"""
    write_requires_grad(call.reader, call.receiver, call.get("requires_grad", 0) or Constant(True), call.node)
    return call.receiver or NONE


@table.write("weights", "grad")
def write_grad(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """p.grad = None clears; anything else writes gradients by hand."""
    if isinstance(value, Constant) and value.value is None:
        modules = weights.parameters.modules
        reader.emit(Kind.ZERO_GRAD, node, modules[0] if len(modules) == 1 else None, partial=bool(weights.parameters.filtered))
    else:
        reader.emit(Kind.GRAD_WRITE, node, weights.parameters, what="grad")


@table.write("weights", "data")
def write_data(reader: Reader, weights: Any, value: Value, node: ast.AST) -> None:
    """p.data = ..."""
    reader.emit(Kind.GRAD_WRITE, node, weights.parameters, what="data")


@table.attribute("weights", "grad")
def weights_gradient(reader: Reader, weights: Any) -> Value:
    """p.grad"""
    return Weights(weights.parameters, weights.each, state=weights.state, of_grad=True)


@table.attribute("weights", "data")
def weights_data(reader: Reader, weights: Any) -> Value:
    """p.data, p.grad.data"""
    return Weights(weights.parameters, weights.each, state=weights.state, of_grad=weights.of_grad)


@table.attribute("weights", "requires_grad")
def weights_flag(reader: Reader, weights: Any) -> Value:
    """Whether a weight is trained: known when the whole model's state is."""
    kinds = {part.trainable for module in weights.parameters.modules for part in module.walk()}
    if kinds == {"yes"}:
        return Constant(True, weak=True)
    return Opaque("whether a parameter is trained", "bool")


_IN_PLACE = (
    "add_",
    "sub_",
    "mul_",
    "div_",
    "copy_",
    "clamp_",
    "normal_",
    "uniform_",
    "fill_",
    "addcmul_",
    "addcdiv_",
    "lerp_",
    "set_",
    "index_copy_",
    "masked_fill_",
    "clip_",
)


@table.method("weights", *_IN_PLACE)
def write_in_place(call: LibraryCall) -> Value:
    """p.data.add_(...), p.grad.clamp_(...)"""
    weights = call.receiver
    assert isinstance(weights, Weights)
    name = call.name.rpartition(".")[2]
    if weights.of_grad and name in ("clamp_", "clip_"):
        from advisor.model.recipe import Clip

        hand = Clip(call.place, kind="hand-written", value=call.setting("max", 1), parameters=weights.parameters)
        call.reader.emit(Kind.CLIP, call.node, call.reader.record(hand))
    elif weights.of_grad and name in ("mul_", "div_"):
        from advisor.model.recipe import Clip

        hand = Clip(call.place, kind="hand-written", value=setting(Opaque("a factor computed from the norm")), parameters=weights.parameters)
        call.reader.emit(Kind.CLIP, call.node, call.reader.record(hand))
    else:
        call.reader.emit(Kind.GRAD_WRITE, call.node, weights.parameters, what="data" if weights.of_grad else "in-place")
    return weights


@table.method("weights", "zero_", "detach_")
def clear_in_place(call: LibraryCall) -> Value:
    """p.grad.zero_()"""
    weights = call.receiver
    assert isinstance(weights, Weights)
    if weights.of_grad and call.name.endswith("zero_"):
        modules = weights.parameters.modules
        call.reader.emit(Kind.ZERO_GRAD, call.node, modules[0] if len(modules) == 1 else None, partial=bool(weights.parameters.filtered))
    return weights


@table.method("weights", "numel", "size", "dim", "norm", "sum", "mean", "item", "abs", "max", "min", "std", "pow")
def measure(call: LibraryCall) -> Value:
    """Sizes and norms of weights."""
    weights = call.receiver
    assert isinstance(weights, Weights)
    if call.name.endswith(("numel", "size", "dim", "item")):
        return Opaque("a measure of weights", "int")
    return Tensor(Flow(modules=tuple(weights.parameters.modules), graph="kept" if not weights.of_grad else "none", metric="regularisation"))


@table.method("weights", "clone", "detach", "cpu", "cuda", "to", "float", "half", "view", "flatten", "data_ptr")
def copy_weights(call: LibraryCall) -> Value:
    """Copies of weights."""
    return Tensor(Flow(graph="none"))


@table.method("module", "zero_grad")
def zero_grad(call: LibraryCall) -> Value:
    """model.zero_grad()"""
    call.reader.emit(Kind.ZERO_GRAD, call.node, _fact(call), partial=False)
    return NONE


@table.method("module", "to", "cuda", "cpu", "float", "double", "xpu", "to_empty", "share_memory", "type", "compile", "to_device", "mps")
def same(call: LibraryCall) -> Value:
    """The same module, elsewhere."""
    fact = _fact(call)
    dtype = call.get("dtype") or next(
        (v for v in call.arguments.positional if getattr(v, "name", "") in ("torch.float16", "torch.bfloat16", "torch.half")), None
    )
    if fact is not None and dtype is not None and call.name.endswith(".to"):
        _half(fact, call, str(getattr(dtype, "name", "")))
    return call.this


@table.method("module", "half", "bfloat16")
def half(call: LibraryCall) -> Value:
    """model.half(): the weights themselves in half precision."""
    fact = _fact(call)
    if fact is not None:
        _half(fact, call, "torch.bfloat16" if call.name.endswith("bfloat16") else "torch.float16")
    return call.this


def _half(fact: Module, call: LibraryCall, dtype: str) -> None:
    name = {"torch.half": "torch.float16"}.get(dtype, dtype)
    if name in ("torch.float16", "torch.bfloat16"):
        fact.settings["dtype"] = Known(name, place=call.place)
        if hasattr(fact, "dtype"):
            fact.dtype = Known(name, place=call.place)


@table.method("module", "apply")
def apply(call: LibraryCall) -> Value:
    """model.apply(init_weights): the function is read with a part of each kind."""
    function = call.get("fn", 0)
    fact = _fact(call)
    if isinstance(function, (Function, Partial)) and fact is not None:
        kinds: dict[str, Module] = {}
        for part in fact.walk():
            kinds.setdefault(part.kind, part)
        for part in list(kinds.values())[:6]:
            call.reader.call(function, Arguments([call.reader.instance(part.kind, role="module", fact=part)]), call.node)
    return call.this


@table.attribute("module", "weight", "bias", "weight_ih_l0", "weight_hh_l0", "in_proj_weight")
def own_weight(reader: Reader, instance: Instance) -> Value | None:
    """layer.weight of a library layer."""
    fact = instance.fact
    if isinstance(fact, Module) and not fact.user_class:
        return Weights(Parameters((fact,), exact=False, filtered="one parameter"), each=True)
    return None


@table.attribute("module", "training")
def training(reader: Reader, instance: Instance) -> Value:
    """self.training: true or false as the mode says."""
    return Opaque("the mode of the module", "bool")


@table.attribute("module", "device", "dtype")
def device(reader: Reader, instance: Instance) -> Value:
    """Where a library model is."""
    return Opaque("the device of a module")


@table.attribute("module", "config")
def config(reader: Reader, instance: Instance) -> Value:
    """A library model's configuration."""
    return Opaque("the configuration of a model")


@table.attribute("module", "module", "_orig_mod")
def unwrapped(reader: Reader, instance: Instance) -> Value | None:
    """ddp.module is the model itself (a wrapper keeps the identity)."""
    fact = instance.fact
    return instance if isinstance(fact, Module) and fact.wrapped else None


@table.attribute("module", "_modules")
def own_modules(reader: Reader, instance: Instance) -> Value:
    """The registry of parts."""
    return Opaque("the parts of a module", "dict")


@table.method(
    "module",
    "register_buffer",
    "register_forward_hook",
    "register_backward_hook",
    "register_full_backward_hook",
    "register_forward_pre_hook",
    "extra_repr",
    "get_parameter",
    "gradient_checkpointing_enable",
    "enable_input_require_grads",
    "tie_weights",
    "print_trainable_parameters",
    "enable_gradient_checkpointing",
    "enable_xformers_memory_efficient_attention",
    "get_memory_footprint",
    "__repr__",
    "flatten_parameters",
    "size",
    "num_parameters",
)
def quiet(call: LibraryCall) -> Value:
    """Changes nothing that the rules ask about."""
    if call.name.endswith("register_buffer"):
        name = call.reader.plain(call.get("name", 0))
        value = call.get("tensor", 1)
        if isinstance(name, str) and value is not None:
            call.reader.store.write(call.this.attributes, name, value if not isinstance(value, Opaque) else Tensor(Flow(graph="none")))
    return NONE


@table.method("module", "register_parameter")
def register_parameter(call: LibraryCall) -> Value:
    """self.register_parameter(name, parameter)"""
    name = call.reader.plain(call.get("name", 0))
    value = call.get("param", 1)
    if isinstance(name, str) and value is not None:
        call.reader.store.write(call.this.attributes, name, value)
    return NONE


@table.function("torch.nn.Parameter", "torch.nn.parameter.UninitializedParameter")
def parameter(call: LibraryCall) -> Value:
    """A weight of its own: a leaf with a gradient."""
    return Tensor(Flow(graph="kept", activation="parameter"))


@table.method("module", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """model.state_dict(): references to the live tensors."""
    return call.reader.instance("state", role="state", data={"of": "model", "fact": _fact(call)}, node=call.node)


@table.method("module", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """model.load_state_dict(state, strict=True)"""
    restore = table.TENSORS.get("restore")
    if restore is not None:
        restore(call, "model")
    return Opaque("missing and unexpected keys")


@table.method("module", "save_pretrained", "push_to_hub")
def save_pretrained(call: LibraryCall) -> Value:
    """model.save_pretrained(path)"""
    from advisor.model.recipe import Save

    fact = Save(call.place, parts={"model": "model-state"}, path=call.setting("save_directory", 0), module=_fact(call))
    call.reader.emit(Kind.SAVE, call.node, call.reader.record(fact))
    return NONE


# --- wrappers ----------------------------------------------------------------------------------------------------

WRAPPERS = {
    "torch.nn.DataParallel": "DataParallel",
    "torch.nn.parallel.DistributedDataParallel": "DDP",
    "torch.distributed.fsdp.FullyShardedDataParallel": "FSDP",
    "torch.compile": "compile",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm": "SyncBatchNorm",
    "torch.jit.script": "script",
    "torch.jit.trace": "script",
    "torch.distributed.fsdp.fully_shard": "FSDP",
    "torch.nn.utils.parametrizations.weight_norm": "weight_norm",
    "torch.nn.utils.weight_norm": "weight_norm",
    "torch.nn.utils.spectral_norm": "spectral_norm",
    "torch.nn.utils.parametrizations.spectral_norm": "spectral_norm",
}


@table.function(*WRAPPERS)
def wrap(call: LibraryCall) -> Value:
    """A wrapper keeps the module's identity and its weights."""
    value = call.get("module", 0) or call.get("model", 0) or call.get("obj", 0)
    name = WRAPPERS[call.name]
    for member in value.members if isinstance(value, Union) else (value,):
        if isinstance(member, Instance) and isinstance(member.fact, Module) and name not in member.fact.wrapped:
            member.fact.wrapped = (*member.fact.wrapped, name)
    if name == "DDP":
        call.reader.recipe.distributed.setdefault("ddp", Known(True, place=call.place))
        if call.reader.conditions and any(label != "default" for _, label in call.reader.conditions):
            call.reader.recipe.distributed["ddp"] = Known(True, weak=True, place=call.place)
    if value is None:
        return Opaque(f"what {call.name} decorates")
    return value


@table.decorator("torch.compile", "torch.jit.script", "torch.jit.ignore", "torch.jit.export", "torch.compiler.disable")
def keep(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """Decorators that change speed, not meaning."""
    return value


@table.method("module", "no_sync", "join", "summon_full_params")
def no_sync(call: LibraryCall) -> Value:
    """ddp.no_sync()"""
    return call.reader.instance("torch.no_sync", role="context", node=call.node)


@table.enter("torch.no_sync")
def enter_no_sync(reader: Reader, instance: Any, node: ast.AST) -> Any:
    """with ddp.no_sync():"""
    return table.Entered("no_sync")


def copied(reader: Reader, value: Instance, node: ast.AST) -> Instance:
    """copy.deepcopy(model): new weights that remember whose copy they are."""
    return _copy(reader, value, node, {}, {})


def _copy(reader: Reader, value: Instance, node: ast.AST, facts: dict[Module, Module], made: dict[int, Instance]) -> Instance:
    """The object with its parts: what is a module below is copied too, each once."""
    if id(value) in made:
        return made[id(value)]
    if not isinstance(value.fact, Module):
        return reader.instance(value.kind, role=value.role, fact=value.fact, cls=value.cls, attributes=dict(value.attributes), data=dict(value.data))
    fact = _copy_fact(reader, value.fact, node, facts)
    copy = reader.instance(value.kind, role="module", fact=fact, cls=value.cls, attributes=dict(value.attributes), data=dict(value.data), node=node)
    made[id(value)] = copy
    for held in (copy.attributes, copy.data):
        for name, part in held.items():
            if isinstance(part, Instance) and part.role == "module":
                held[name] = _copy(reader, part, node, facts, made)
    return copy


def _copy_fact(reader: Reader, fact: Module, node: ast.AST, facts: dict[Module, Module]) -> Module:
    copy = facts.get(fact)
    if copy is None:
        copy = facts[fact] = replace(fact, place=reader.place(node), copy_of=fact, children={}, same_as=None)
        reader.record(copy)
        copy.children.update((name, _copy_fact(reader, child, node, facts)) for name, child in fact.children.items())
    return copy


table.TENSORS["copied"] = copied  # type: ignore[assignment]
