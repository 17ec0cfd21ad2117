"""What any nn.Module can do: parameters, parts, modes, freezing, moving, state."""

from __future__ import annotations

import ast

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Module, Parameters, Save
from advisor.model.source import MODE, Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch import devices, left_behind
from advisor.read.frameworks.torch.weights import freeze
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    sequence,
)

EACH = 24  # parts of a model that a loop is read for one by one; of larger models one of each kind
LAYERS = ("", "_l0", "_l1", "_l0_reverse", "_l1_reverse")
RECURRENT_WEIGHTS = [f"{name}{layer}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") for layer in LAYERS]
WEIGHT_NAMES = ("weight", "bias", "in_proj_weight", "in_proj_bias", "_parameters", *RECURRENT_WEIGHTS)
HALVES = {"torch.half": "torch.float16", "torch.float16": "torch.float16", "torch.bfloat16": "torch.bfloat16"}


def module_of(value: Value | None) -> Module | None:
    """The module fact of a value (the default path's)."""
    for member in value.members if isinstance(value, Union) else (value,):
        if isinstance(member, Instance) and isinstance(member.fact, Module):
            return member.fact
    return None


def own(call: LibraryCall) -> Module | None:
    """The module that a method is called on."""
    return call.this.fact if isinstance(call.this.fact, Module) else None


@table.method("module", "parameters", "named_parameters")
def parameters(call: LibraryCall) -> Value:
    """model.parameters(): a generator."""
    fact = own(call)
    whole = call.reader.plain(call.get("recurse", 0 if call.name.endswith(".parameters") else 1)) is not False
    held = Parameters((fact,) if fact is not None else (), exact=fact is not None and whole, iterator=True)
    return Weights(held, named=call.name.endswith("named_parameters"))


@table.method("module", "buffers", "named_buffers")
def buffers(call: LibraryCall) -> Value:
    """Running statistics and the like."""
    item: Value = Tensor(Flow(graph="none"))
    if call.name.endswith("named_buffers"):
        item = sequence([Opaque("the name of a buffer", "str"), item], "tuple")
    return sequence([item], "generator", exact=False)


# --- parts -------------------------------------------------------------------------------------------------------


def parts_of(reader: Reader, instance: Instance) -> dict[str, Instance]:
    """The direct parts of a module as objects, by their names."""
    found: dict[str, Instance] = {}
    items = instance.data.get("items")
    named = items.items() if isinstance(items, dict) else ((str(index), item) for index, item in enumerate(items or ()))
    for name, value in (*named, *instance.attributes.items()):
        for member in value.members if isinstance(value, Union) else (value,):
            if isinstance(member, Instance) and isinstance(member.fact, Module) and name not in found:
                found[name] = member
    if isinstance(instance.fact, Module):
        held = {id(part.fact) for part in found.values()}
        for name, child in instance.fact.children.items():
            if id(child) not in held and not name.startswith("["):
                found[name] = reader.instance(child.kind, role="module", fact=child)
        order = {id(child): position for position, child in enumerate(instance.fact.children.values())}
        found = dict(sorted(found.items(), key=lambda part: order.get(id(part[1].fact), len(order))))
    return found


def all_parts(reader: Reader, instance: Instance) -> list[tuple[str, Instance]]:
    """The module and everything below it, each once, with dotted names."""
    found: list[tuple[str, Instance]] = []
    seen: set[int] = set()
    stack: list[tuple[str, Instance]] = [("", instance)]
    while stack:
        name, part = stack.pop()
        if id(part.fact) in seen:
            continue
        seen.add(id(part.fact))
        found.append((name, part))
        stack += reversed([(f"{name}.{key}" if name else key, inner) for key, inner in parts_of(reader, part).items()])
    return found


@table.method("module", "children", "named_children")
def children(call: LibraryCall) -> Value:
    """The direct parts, in order."""
    found = list(parts_of(call.reader, call.this).items())
    return _listing(call, found, bool(found) and isinstance(call.this.fact, Module) and call.this.fact.complete)


@table.method("module", "modules", "named_modules")
def modules(call: LibraryCall) -> Value:
    """The module and all below. Of a large model a loop sees one part of each kind."""
    found = all_parts(call.reader, call.this)
    if len(found) > EACH:
        kinds: dict[str, tuple[str, Instance]] = {}
        for name, part in found:
            kinds.setdefault(part.fact.kind if isinstance(part.fact, Module) else part.kind, (name, part))
        found = list(kinds.values())[:EACH]
    return _listing(call, found, False)


def _listing(call: LibraryCall, found: list[tuple[str, Instance]], exact: bool) -> Value:
    named = "named" in call.name.rpartition(".")[2]
    items: list[Value] = [sequence([Constant(name), part], "tuple") if named else part for name, part in found]
    made = sequence(items, "generator", exact=exact)
    if not exact:
        item = join(items) if items else Opaque("a part of a module")
        made.state["iteration"] = Iteration(item, tuple(items), what="items")
    return made


@table.attribute("module", "_modules")
def own_modules(reader: Reader, instance: Instance) -> Value:
    """The registry of parts."""
    return Mapping({"items": dict(parts_of(reader, instance)), "exact": False, "parts_of": instance})


@table.method("module", "get_submodule")
def submodule(call: LibraryCall) -> Value:
    """model.get_submodule("encoder.layer")"""
    name = call.reader.plain(call.get("target", 0))
    found: Instance | None = call.this
    for key in name.split(".") if isinstance(name, str) else ():
        found = parts_of(call.reader, found).get(key) if found is not None else None
    return found if found is not None and isinstance(name, str) else Opaque("a part of a module")


@table.method("module", "apply")
def apply(call: LibraryCall) -> Value:
    """model.apply(init_weights): the function is read with a part of each kind."""
    function = call.get("fn", 0)
    if isinstance(function, (Function, Partial, Library)) or (isinstance(function, Bound) and function.function is not None):
        kinds: dict[str, Instance] = {}
        for _, part in all_parts(call.reader, call.this):
            kinds.setdefault(part.fact.kind if isinstance(part.fact, Module) else part.kind, part)
        for part in list(kinds.values())[:8]:
            call.reader.call(function, Arguments([part]), call.node)
    elif function is not None and call.reader.tracked([call.this]):
        call.reader.escape([call.this], "apply", call.node)
    return call.this


@table.method("module", "reset_parameters")
def reset_parameters(call: LibraryCall) -> Value:
    """layer.reset_parameters(): its weights are drawn anew."""
    call.reader.emit(Kind.WEIGHTS_GIVEN, call.node)
    return NONE


# --- modes, freezing, gradients ----------------------------------------------------------------------------------


@table.method("module", "train")
def train(call: LibraryCall) -> Value:
    """model.train([mode])"""
    flag = call.get("mode", 0)
    truth = True if flag is None and call.arguments.exact else call.reader.strong_truth(flag) if flag is not None else None
    kind = Kind.TRAIN_MODE if truth is True else Kind.EVAL_MODE if truth is False else Kind.MODE_UNKNOWN
    call.reader.emit(kind, call.node, own(call))
    return call.this


@table.method("module", "eval")
def evaluate(call: LibraryCall) -> Value:
    """model.eval()"""
    call.reader.emit(Kind.EVAL_MODE, call.node, own(call))
    return call.this


@table.method("module", "requires_grad_")
def requires_grad(call: LibraryCall) -> Value:
    """model.requires_grad_(flag)"""
    freeze(call.reader, own(call), call.setting("requires_grad", 0, True), call.node, call.reader.loop_depth)
    return call.this


@table.method("module", "zero_grad")
def zero_grad(call: LibraryCall) -> Value:
    """model.zero_grad()"""
    call.reader.emit(Kind.ZERO_GRAD, call.node, own(call), partial=False)
    return NONE


# --- moving ------------------------------------------------------------------------------------------------------


@table.method("module", "to", "cuda", "cpu", "float", "double", "xpu", "to_empty", "share_memory", "type", "compile", "mps", "ipu")
def same(call: LibraryCall) -> Value:
    """The same module, elsewhere; to(torch.float16) changes what its weights are."""
    fact = own(call)
    name = call.name.rpartition(".")[2]
    if fact is not None and devices.moves(call, name):
        left_behind.moved(call, fact, name)
        fact.placed = fact.placed or call.place
        sure = not any(label != "default" for _, label in call.reader.conditions)
        fact.on_accelerator = sure and devices.leaves_cpu(call, name) is True
    if fact is not None and name in ("to", "type"):
        given = call.get("dtype") or next((value for value in call.arguments.positional if isinstance(value, Library)), None)
        if isinstance(given, Library):
            _convert(call, fact, given.name)
    elif fact is not None and name in ("float", "double"):
        _convert(call, fact, f"torch.{name}")
    call.reader.recipe.compiled |= name == "compile"
    return call.this


@table.method("module", "half", "bfloat16")
def half(call: LibraryCall) -> Value:
    """model.half(): the weights themselves in half precision."""
    fact = own(call)
    if fact is not None:
        _convert(call, fact, f"torch.{call.name.rpartition('.')[2]}")
    return call.this


def _convert(call: LibraryCall, fact: Module, name: str) -> None:
    dtype = HALVES.get(name, {"torch.float": "torch.float32", "torch.double": "torch.float64"}.get(name, name))
    weak = any(label != "default" for _, label in call.reader.conditions)
    fact.dtype = Known(dtype, weak=weak, place=call.place)


# --- attributes --------------------------------------------------------------------------------------------------


def own_weight(reader: Reader, instance: Instance) -> Value | None:
    """layer.weight of a library layer."""
    fact = instance.fact
    if isinstance(fact, Module) and not fact.user_class:
        return Weights(Parameters((fact,), exact=False, filtered="one parameter"), each=True)
    return None


for _name in WEIGHT_NAMES:
    table.ATTRIBUTES["module", _name] = own_weight


@table.attribute("module", "running_mean", "running_var", "num_batches_tracked")
def statistics(reader: Reader, instance: Instance) -> Value:
    """Buffers of a batch norm."""
    return Tensor(Flow(graph="none"))


@table.attribute("module", "training")
def training(reader: Reader, instance: Instance) -> Value:
    """self.training: true or false as the mode says."""
    return Opaque(MODE, "bool")


@table.write("module", "training")
def set_training(reader: Reader, instance: Instance, value: Value, node: ast.AST) -> None:
    """model.training = False: the mode of this one, but for its parts. What a constructor keeps under that name is the start of train mode."""
    function = reader.frame.function
    if reader.frame.receiver is not instance or function is None or function.name != "__init__":
        reader.emit(Kind.MODE_UNKNOWN, node, module_of(instance))


@table.attribute("module", "device", "dtype", "config")
def known_later(reader: Reader, instance: Instance) -> Value:
    """Where a library model is, and how it was configured."""
    return Opaque("a property of a module")


@table.method("module", "register_buffer")
def register_buffer(call: LibraryCall) -> Value:
    """self.register_buffer(name, tensor): plain data; a triangle of ones masks the future."""
    name, value = call.reader.plain(call.get("name", 0)), call.get("tensor", 1)
    if isinstance(name, str) and value is not None:
        call.reader.store.write(call.this.attributes, name, value if not isinstance(value, Opaque) else Tensor(Flow(graph="none")))
        fact = own(call)
        if fact is not None and isinstance(value, Tensor) and value.flow.activation == "triangle":
            fact.causal = True
    return NONE


@table.method("module", "register_parameter")
def register_parameter(call: LibraryCall) -> Value:
    """self.register_parameter(name, parameter)"""
    name, value = call.reader.plain(call.get("name", 0)), call.get("param", 1)
    if isinstance(name, str) and value is not None:
        call.reader.store.write(call.this.attributes, name, value)
    if isinstance(value, Weights) and (fact := own(call)) is not None:
        fact.keeps = (*fact.keeps, *value.parameters.modules)
    return NONE


@table.method(
    "module",
    "register_forward_hook",
    "register_backward_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_forward_pre_hook",
    "register_state_dict_pre_hook",
    "register_load_state_dict_post_hook",
    "extra_repr",
    "get_parameter",
    "gradient_checkpointing_enable",
    "gradient_checkpointing_disable",
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
    "set_extra_state",
    "get_extra_state",
)
def quiet(call: LibraryCall) -> Value:
    """Changes nothing that the rules ask about; a hook may change what a forward is given, and what it gives."""
    if "register_forward" in call.name:
        call.reader.refusals.samples.take(call.this)
    return Opaque("a property of a module") if call.name.endswith(("size", "num_parameters", "footprint")) else NONE


# --- state -------------------------------------------------------------------------------------------------------


@table.method("module", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """model.state_dict(): references to the live tensors."""
    kept = call.reader.plain(call.get("keep_vars", 2)) is True  # then these are the weights themselves
    return call.reader.instance("state", role="state", data={"of": "model", "fact": own(call), "weights": kept}, node=call.node)


@table.method("module", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """model.load_state_dict(state, strict=True)"""
    table.TENSORS["restore"](call, "model")
    return Opaque("missing and unexpected keys")


@table.method("module", "save_pretrained", "push_to_hub")
def save_pretrained(call: LibraryCall) -> Value:
    """model.save_pretrained(path)"""
    fact = Save(call.place, parts={"model": "model-state"}, path=call.setting("save_directory", 0), module=own(call))
    told, by_pickle = call.get("is_main_process", 1), call.reader.plain(call.get("safe_serialization")) is False
    fact.told_rank = not (told is None or call.reader.plain(told) is True) or (by_pickle and call.get("save_function") is not None)
    call.reader.emit(Kind.SAVE, call.node, call.reader.record(fact))
    return NONE
