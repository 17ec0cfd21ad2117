"""torch.optim: every optimizer with its defaults, parameter groups, and what their methods do."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Group, Optimizer, Parameters
from advisor.model.record import replace
from advisor.model.source import Place
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, Iteration, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
    Function,
    Instance,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    setting,
)

_ADAM: dict[str, Any] = {"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False}
_FLAGS: dict[str, Any] = {"foreach": None, "maximize": False, "capturable": False, "differentiable": False, "fused": None}
SIGNATURES: dict[str, dict[str, Any]] = {
    "SGD": {"params": REQUIRED, "lr": 0.001, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False, **_FLAGS},
    "Adam": {**_ADAM, **_FLAGS, "decoupled_weight_decay": False},
    "AdamW": {**_ADAM, "weight_decay": 0.01, **_FLAGS},
    "NAdam": {
        "params": REQUIRED,
        "lr": 0.002,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0,
        "momentum_decay": 0.004,
        "decoupled_weight_decay": False,
    },
    "RAdam": {"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "decoupled_weight_decay": False},
    "Adamax": {"params": REQUIRED, "lr": 0.002, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0},
    "Adagrad": {"params": REQUIRED, "lr": 0.01, "lr_decay": 0, "weight_decay": 0, "initial_accumulator_value": 0, "eps": 1e-10},
    "Adadelta": {"params": REQUIRED, "lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0},
    "RMSprop": {"params": REQUIRED, "lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0, "centered": False},
    "Rprop": {"params": REQUIRED, "lr": 0.01, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50)},
    "ASGD": {"params": REQUIRED, "lr": 0.01, "lambd": 0.0001, "alpha": 0.75, "t0": 1000000.0, "weight_decay": 0},
    "LBFGS": {
        "params": REQUIRED,
        "lr": 1,
        "max_iter": 20,
        "max_eval": None,
        "tolerance_grad": 1e-7,
        "tolerance_change": 1e-9,
        "history_size": 100,
        "line_search_fn": None,
    },
    "SparseAdam": {"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8},
    "Adafactor": {"params": REQUIRED, "lr": 0.01, "beta2_decay": -0.8, "eps": (None, 0.001), "d": 1.0, "weight_decay": 0.0},
    "Muon": {
        "params": REQUIRED,
        "lr": 0.001,
        "weight_decay": 0.1,
        "momentum": 0.95,
        "nesterov": True,
        "ns_steps": 5,
        "eps": 1e-7,
        "adjust_lr_fn": None,
    },
}
OTHERS: dict[str, tuple[dict[str, Any], str]] = {  # other packages: signature, version whose defaults these are
    "lion_pytorch.Lion": ({"params": REQUIRED, "lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0}, "lion-pytorch 0.2"),
    "prodigyopt.Prodigy": (
        {
            "params": REQUIRED,
            "lr": 1.0,
            "betas": (0.9, 0.999),
            "beta3": None,
            "eps": 1e-8,
            "weight_decay": 0,
            "decouple": True,
            "use_bias_correction": False,
            "safeguard_warmup": False,
            "d0": 1e-6,
            "d_coef": 1.0,
        },
        "prodigyopt 1.1",
    ),
    "dadaptation.DAdaptAdam": (
        {"params": REQUIRED, "lr": 1.0, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "log_every": 0, "decouple": False},
        "dadaptation 3.2",
    ),
    "dadaptation.DAdaptSGD": ({"params": REQUIRED, "lr": 1.0, "momentum": 0.0, "weight_decay": 0}, "dadaptation 3.2"),
    "schedulefree.AdamWScheduleFree": (
        {"params": REQUIRED, "lr": 0.0025, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "warmup_steps": 0},
        "schedulefree 1.4",
    ),
    "schedulefree.SGDScheduleFree": ({"params": REQUIRED, "lr": 1.0, "momentum": 0.9, "weight_decay": 0, "warmup_steps": 0}, "schedulefree 1.4"),
    "bitsandbytes.optim.AdamW8bit": (
        {"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
        "bitsandbytes 0.50",
    ),
    "bitsandbytes.optim.Adam8bit": ({"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0}, "bitsandbytes 0.50"),
    "bitsandbytes.optim.PagedAdamW8bit": (
        {"params": REQUIRED, "lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
        "bitsandbytes 0.50",
    ),
    "transformers.Adafactor": (
        {
            "params": REQUIRED,
            "lr": None,
            "eps": (1e-30, 0.001),
            "clip_threshold": 1.0,
            "decay_rate": -0.8,
            "beta1": None,
            "weight_decay": 0.0,
            "scale_parameter": True,
            "relative_step": True,
            "warmup_init": False,
        },
        "Transformers 4.57",
    ),
    "apex.optimizers.FusedAdam": (
        {"params": REQUIRED, "lr": 0.001, "bias_correction": True, "betas": (0.9, 0.999), "eps": 1e-8, "adam_w_mode": True, "weight_decay": 0.0},
        "apex",
    ),
    "apex.optimizers.FusedLAMB": (
        {"params": REQUIRED, "lr": 0.001, "bias_correction": True, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01},
        "apex",
    ),
    "deepspeed.ops.adam.FusedAdam": (
        {"params": REQUIRED, "lr": 0.001, "bias_correction": True, "betas": (0.9, 0.999), "eps": 1e-8, "adam_w_mode": True, "weight_decay": 0.0},
        "DeepSpeed",
    ),
}


def parameters(reader: Reader, value: Value | None, node: ast.AST) -> Parameters:
    """Which weights a value names: a generator of a module's, a list, a chain; a generator that was used up says by whom."""
    if value is None:
        return Parameters(exact=False, why="no parameters are given")
    if isinstance(value, Weights):
        found = value.parameters
        used = value.state.get("consumed")
        if found.iterator and isinstance(used, Place):
            return replace(found, consumed_by=used)
        if found.iterator:
            reader.store.write(value.state, "consumed", reader.place(node))
        return replace(found, exact=False) if value.each else found
    if isinstance(value, Instance) and value.role == "module":
        return Parameters(exact=False, why="a module is given")
    if isinstance(value, Sequence):
        parts = [parameters(reader, item, node) for item in value.items if isinstance(item, (Weights, Sequence, Tensor, Mapping))]
        modules = tuple(dict.fromkeys(m for part in parts for m in part.modules))
        whole = value.exact and len(parts) == len(value.items) and all(part.exact for part in parts)
        filtered = next((part.filtered for part in parts if part.filtered), None)
        inputs = any(part.inputs for part in parts)
        return Parameters(modules, whole and bool(parts), filtered, iterator=value.kind == "generator", inputs=inputs)
    if isinstance(value, Tensor):
        return Parameters(tuple(value.flow.modules), exact=False, inputs=True)
    if isinstance(value, Union):
        parts = [parameters(reader, member, node) for member in value.members]
        modules = tuple(dict.fromkeys(m for part in parts for m in part.modules))
        return Parameters(modules, exact=False, filtered=parts[0].filtered)
    if isinstance(value, Mapping):
        return parameters(reader, value.items.get("params"), node) if "params" in value.items else Parameters(exact=False, why="a mapping")
    return Parameters(exact=False, why=getattr(value, "why", "parameters that could not be read"))


table.TENSORS["parameters"] = parameters  # type: ignore[assignment]


def groups(reader: Reader, value: Value | None, node: ast.AST) -> tuple[list[Group], bool]:
    """The parameter groups of a constructor's first argument, and whether they are all."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value.items):
        found = []
        for item in value.items:
            if isinstance(item, Mapping):
                settings = {str(key): setting(held) for key, held in item.items.items() if key != "params"}
                found.append(Group(parameters(reader, item.items.get("params"), node), settings))
        return found, value.exact and len(found) == len(value.items)
    one = parameters(reader, value, node)
    return [Group(one)], one.why is None


def construct(call: LibraryCall, kind: str, signature: dict[str, Any], version: str | None = None) -> Instance:
    """An optimizer with every setting."""
    settings = call.settings(signature, skip=1, version=version)
    extra = {key: setting(value) for key, value in call.arguments.keywords.items() if key not in signature}
    fact = Optimizer(call.place, kind=kind, settings={**settings, **extra})
    fact.groups, fact.groups_complete = groups(call.reader, call.get("params", 0), call.node)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(kind, role="optimizer", fact=fact, node=call.node)


def _register(name: str, signature: dict[str, Any], version: str | None = None) -> None:
    table.FUNCTIONS[name] = lambda call: construct(call, name, signature, version)
    table.CLASS_ROLES[name] = "optimizer"


for _name, _signature in SIGNATURES.items():
    _register(f"torch.optim.{_name}", _signature)
for _name, (_signature, _version) in OTHERS.items():
    _register(_name, _signature, _version)
table.CLASS_ROLES["torch.optim.Optimizer"] = "optimizer"


@table.method("optimizer", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(params, defaults) of an optimizer class of the project."""
    fact = call.this.fact
    if isinstance(fact, Optimizer):
        fact.groups, fact.groups_complete = groups(call.reader, call.get("params", 0), call.node)
        defaults = call.get("defaults", 1)
        if isinstance(defaults, Mapping):
            fact.settings = {str(key): setting(value) for key, value in defaults.items.items()}
    return NONE


@table.method("optimizer", "step")
def step(call: LibraryCall) -> Value:
    """optimizer.step([closure])"""
    closure = call.get("closure", 0)
    has_closure = isinstance(closure, (Function, Bound, Partial))
    result: Value = NONE
    if has_closure and closure is not None:
        result = call.reader.call(closure, Arguments(), call.node)
    call.reader.emit(Kind.OPTIMIZER_STEP, call.node, call.this.fact, scaler=None, closure=has_closure)
    return result


@table.method("optimizer", "zero_grad")
def zero_grad(call: LibraryCall) -> Value:
    """optimizer.zero_grad()"""
    call.reader.emit(Kind.ZERO_GRAD, call.node, call.this.fact, partial=False)
    return NONE


@table.method("optimizer", "add_param_group")
def add_group(call: LibraryCall) -> Value:
    """optimizer.add_param_group({...})"""
    group = call.get("param_group", 0)
    fact = call.this.fact
    if isinstance(fact, Optimizer):
        if isinstance(group, Mapping):
            settings = {str(key): setting(held) for key, held in group.items.items() if key != "params"}
            fact.groups.append(Group(parameters(call.reader, group.items.get("params"), call.node), settings))
        else:
            fact.groups_complete = False
    return NONE


@table.method("optimizer", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "optimizer", "fact": call.this.fact})


@table.method("optimizer", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """optimizer.load_state_dict(state)"""
    restore = table.TENSORS.get("restore")
    if restore is not None:
        restore(call, "optimizer")
    return NONE


@table.method("optimizer", "train", "eval", "register_step_pre_hook", "register_step_post_hook", "share_memory", "consolidate_state_dict")
def quiet(call: LibraryCall) -> Value:
    """schedule-free modes and hooks."""
    if call.name.endswith((".train", ".eval")):
        call.reader.emit(Kind.TRAIN_MODE if call.name.endswith("train") else Kind.EVAL_MODE, call.node, call.this.fact)
    return NONE


@table.attribute("optimizer", "param_groups")
def param_groups(reader: Reader, instance: Instance) -> Value:
    """The groups as objects whose items can be written."""
    group = reader.instance("param_group", role="param_group", data={"of": instance})
    return Sequence("list", {"items": (group,), "exact": False})


@table.method("param_group", "__getitem__")
def group_item(call: LibraryCall) -> Value:
    """group["lr"], group["params"]"""
    owner = call.this.data["of"]
    key = call.reader.plain(call.arguments.positional[0])
    if key == "params":
        fact = owner.fact
        modules = fact.modules if isinstance(fact, Optimizer) else ()
        return Weights(Parameters(tuple(modules)))
    return Opaque(f"`{key}` of a parameter group while it trains", "float")


@table.method("param_group", "get")
def group_get(call: LibraryCall) -> Value:
    """group.get("lr")"""
    return Opaque("a setting of a parameter group", "float")


@table.method("param_group", "__setitem__")
def group_write(call: LibraryCall) -> Value:
    """group["lr"] = value"""
    owner = call.this.data["of"]
    key = call.reader.plain(call.arguments.positional[0])
    value = setting(call.arguments.positional[1])
    fact = owner.fact
    if isinstance(fact, Optimizer) and key == "lr":
        fact.lr_writes.append(value)
    call.reader.emit(Kind.LR_WRITE, call.node, fact, key=key if isinstance(key, str) else "?", value=value)
    return NONE


@table.method("param_group", "update")
def group_update(call: LibraryCall) -> Value:
    """group.update({"lr": value})"""
    fact = call.this.data["of"].fact
    call.reader.emit(Kind.LR_WRITE, call.node, fact, key="lr", value=Opaque())
    if isinstance(fact, Optimizer):
        fact.lr_writes.append(setting(Opaque("an update of the group")))
    return NONE


@table.attribute("optimizer", "state", "defaults")
def state(reader: Reader, instance: Instance) -> Value:
    """The optimizer's own memory."""
    return Opaque("the state of the optimizer")


@table.iterate("param_group")
def iterate_group(reader: Reader, instance: Instance) -> Iteration:
    """The keys of a group."""
    return Iteration(Opaque("a key of a parameter group", "str"), what="items")
