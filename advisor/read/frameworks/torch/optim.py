"""torch.optim: every optimizer with its defaults, and what their methods do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from advisor.model.events import Event, Kind, walk
from advisor.model.pattern import pattern
from advisor.model.recipe import Optimizer, Parameters
from advisor.model.record import replace
from advisor.model.source import Known, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch import nothing_given
from advisor.read.frameworks.torch.parameters import group_of, groups, owner_of, together
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Value,
    Weights,
    setting,
)

_ADAM = "betas=(0.9, 0.999), eps=1e-08"
OPTIMIZERS: dict[str, str] = {
    "SGD": (
        "params, lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False, foreach=None, differentiable=False, fused=None"
    ),
    "Adam": (
        f"params, lr=0.001, {_ADAM}, weight_decay=0, amsgrad=False, "
        "*, foreach=None, maximize=False, capturable=False, differentiable=False, fused=None, decoupled_weight_decay=False"
    ),
    "AdamW": (
        f"params, lr=0.001, {_ADAM}, weight_decay=0.01, amsgrad=False, "
        "*, maximize=False, foreach=None, capturable=False, differentiable=False, fused=None"
    ),
    "NAdam": (
        f"params, lr=0.002, {_ADAM}, weight_decay=0, momentum_decay=0.004, decoupled_weight_decay=False, "
        "*, foreach=None, maximize=False, capturable=False, differentiable=False"
    ),
    "RAdam": (
        f"params, lr=0.001, {_ADAM}, weight_decay=0, decoupled_weight_decay=False, "
        "*, foreach=None, maximize=False, capturable=False, differentiable=False"
    ),
    "Adamax": f"params, lr=0.002, {_ADAM}, weight_decay=0, foreach=None, *, maximize=False, differentiable=False, capturable=False",
    "Adagrad": (
        "params, lr=0.01, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, "
        "*, maximize=False, differentiable=False, fused=None"
    ),
    "Adadelta": "params, lr=1.0, rho=0.9, eps=1e-06, weight_decay=0, foreach=None, *, capturable=False, maximize=False, differentiable=False",
    "RMSprop": (
        "params, lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0, momentum=0, centered=False, "
        "capturable=False, foreach=None, maximize=False, differentiable=False"
    ),
    "Rprop": "params, lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-06, 50), *, capturable=False, foreach=None, maximize=False, differentiable=False",
    "ASGD": (
        "params, lr=0.01, lambd=0.0001, alpha=0.75, t0=1000000.0, weight_decay=0, "
        "foreach=None, maximize=False, differentiable=False, capturable=False"
    ),
    "LBFGS": "params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-07, tolerance_change=1e-09, history_size=100, line_search_fn=None",
    "SparseAdam": f"params, lr=0.001, {_ADAM}, maximize=False",
    "Adafactor": "params, lr=0.01, beta2_decay=-0.8, eps=(None, 0.001), d=1.0, weight_decay=0.0, *, foreach=None, maximize=False",
    "Muon": (
        "params, lr=0.001, weight_decay=0.1, momentum=0.95, nesterov=True, "
        "ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-07, ns_steps=5, adjust_lr_fn=None"
    ),
}
UNCHOSEN = "the class of an optimizer has a name that is not known"
STEPPING = (Kind.GRAD_WRITE, Kind.COUNT, Kind.RESET, Kind.ASSIGN, Kind.KEEP)  # what happens inside a step
GROUPS = 8  # parameter groups that a loop over param_groups is read for one by one


def construct(call: LibraryCall, kind: str, names: dict[str, Any], version: str | None = None) -> Instance:
    """An optimizer with every setting."""
    settings = call.settings(names, skip=1, version=version)
    extra = {key: setting(value) for key, value in call.arguments.keywords.items() if key not in names}
    decay = settings.get("weight_decay")
    if isinstance(decay, Known) and isinstance(decay.value, bool):
        settings["weight_decay"] = replace(decay, value=int(decay.value))  # torch multiplies by it: True is 1
    nothing_given.note(call, kind, settings)
    fact = Optimizer(call.place, kind=kind, settings={**settings, **extra})
    fact.groups, fact.groups_complete = groups(call.reader, call.get("params", 0), call.node)
    return built(call, fact)


def built(call: LibraryCall, fact: Optimizer) -> Instance:
    """Registers an optimizer that a library call built."""
    fact.groups_of = owner_of(call.get("params", 0))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(fact.kind, role="optimizer", fact=fact, node=call.node)


_NAMED = pattern(r"sgd|adam|lamb|lars|lion|ranger|prop|grad|novo|muon|shampoo|sophia|prodigy|optim", re.IGNORECASE)


def foreign(call: LibraryCall) -> Value | None:
    """An optimizer of a library without a table: a class that gets parameters and a rate, or parameters and a name that says so."""
    last = call.name.rpartition(".")[2]
    given = call.get("params", 0)
    if not last[:1].isupper() or not _parameters(given):
        return None
    if "lr" not in call.arguments.keywords and not _NAMED.search(last):
        return None
    fact = Optimizer(call.place, kind=call.name, settings={key: setting(value) for key, value in call.arguments.keywords.items() if key != "params"})
    if len(call.arguments.positional) > 1:
        fact.settings.setdefault("lr", call.setting("lr", 1))
    fact.groups, fact.groups_complete = groups(call.reader, given, call.node)
    return built(call, fact)


def _parameters(value: Value | None) -> bool:
    """True for the weights of a model, or groups of them."""
    if isinstance(value, Weights):
        return not value.of_grad and not value.each
    if isinstance(value, Sequence):
        return any(isinstance(item, Mapping) and isinstance(item.items.get("params"), Weights) for item in value.items)
    return False


table.TENSORS["optimizer"] = foreign


def register(name: str, text: str, version: str | None = None) -> None:
    """An optimizer class by its dotted name, with its signature."""
    table.FUNCTIONS[name] = lambda call: construct(call, name, signature(text), version)
    table.CLASS_ROLES[name] = "optimizer"


for _name, _text in OPTIMIZERS.items():
    register(f"torch.optim.{_name}", _text)
table.CLASS_ROLES["torch.optim.Optimizer"] = "optimizer"


@table.function("torch.optim.?")
def any_of(call: LibraryCall) -> Value:
    """getattr(torch.optim, name)(params, lr=...): an optimizer of a class that is not known, on weights that may be."""
    fact = Optimizer(call.place, kind="torch.optim.Optimizer", settings={key: setting(value) for key, value in call.arguments.keywords.items()})
    fact.settings.pop("params", None)
    fact.settings.setdefault("lr", call.setting("lr", 1) if len(call.arguments.positional) > 1 else Unknown(UNCHOSEN))
    fact.groups, fact.groups_complete = groups(call.reader, call.get("params", 0), call.node)
    call.reader.recipe.optimizers.complete, call.reader.recipe.optimizers.why = False, UNCHOSEN
    return built(call, fact)


@table.function("torch.distributed.optim.ZeroRedundancyOptimizer")
def sharded(call: LibraryCall) -> Value | None:
    """ZeroRedundancyOptimizer(params, optimizer_class=AdamW, lr=...): that optimizer, with its state spread over the ranks."""
    inner = call.get("optimizer_class", 1)
    if not isinstance(inner, Library):
        return None
    name = table.canonical(inner.name)
    text = OPTIMIZERS.get(name.removeprefix("torch.optim."))
    given = {key: value for key, value in call.arguments.keywords.items() if key not in ("optimizer_class", "process_group", "overlap_with_ddp")}
    request = LibraryCall(call.reader, name, Arguments(call.arguments.positional[:1], given, call.arguments.exact), call.node)
    return construct(request, name, signature(text)) if text is not None else call.reader.call(inner, request.arguments, call.node)


# --- methods -----------------------------------------------------------------------------------------------------


@table.method("optimizer", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(params, defaults) of an optimizer class of the project, or of one derived from torch's own."""
    fact = call.this.fact
    if not isinstance(fact, Optimizer):
        return NONE
    fact.groups, fact.groups_complete = groups(call.reader, call.get("params", 0), call.node)
    text = OPTIMIZERS.get(call.this.kind.removeprefix("torch.optim."))
    defaults = call.get("defaults", 1)
    if text is not None:
        fact.settings = call.settings(signature(text), skip=1)
    elif isinstance(defaults, Mapping):
        fact.settings = {str(key): setting(value) for key, value in defaults.items.items()}
    return NONE


def wrapped(optimizer: Instance) -> Iterator[Optimizer]:
    """The optimizer whose groups one of the project took over (`self.param_groups = self.optimizer.param_groups`): Lookahead and the like.

    Where a flag wraps it, one name stands for both, and what is done to that is told once.
    """
    fact = optimizer.fact
    groups = optimizer.attributes.get("param_groups")
    for group in groups.items[:1] if isinstance(groups, Sequence) else ():
        inner = group.data.get("of") if isinstance(group, Instance) and group.role == "param_group" else None
        if inner is not None and inner is not optimizer and isinstance(inner.fact, Optimizer):
            if fact is None or inner.fact.slot is not fact.slot:
                yield inner.fact


@table.method("optimizer", "step")
def step(call: LibraryCall) -> Value:
    """optimizer.step([closure])"""
    closure = call.get("closure", 0)
    has_closure = isinstance(closure, (Function, Bound, Partial)) or (isinstance(closure, Instance) and closure.cls is not None)
    result: Value = NONE
    if has_closure and closure is not None:
        result = call.reader.call(closure, Arguments(), call.node)
    call.reader.emit(Kind.OPTIMIZER_STEP, call.node, call.this.fact, scaler=None, closure=has_closure)
    return result


@table.override("optimizer", "step")
def own_step(call: LibraryCall, nodes: list[Any]) -> None:
    """The step of an optimizer class of the project: what it writes is its step, unless it passes the call on."""
    inside = [node for node, _ in walk(nodes) if isinstance(node, Event)]
    if any(event.kind is Kind.OPTIMIZER_STEP and event.subject is call.this.fact for event in inside):
        return
    if all(event.kind in STEPPING for event in inside):
        del call.reader.block[len(call.reader.block) - len(nodes) :]
    call.reader.emit(Kind.OPTIMIZER_STEP, call.node, call.this.fact, scaler=None, closure=any(event.kind is Kind.BACKWARD for event in inside))


@table.override("optimizer", "zero_grad")
def own_zero_grad(call: LibraryCall, nodes: list[Any]) -> None:
    """zero_grad of an optimizer class of the project: it passes the call on to the one that it wraps, or clears in its own way."""
    inside = [node for node, _ in walk(nodes) if isinstance(node, Event)]
    if not any(event.kind is Kind.ZERO_GRAD and event.subject is call.this.fact for event in inside):
        call.reader.emit(Kind.ZERO_GRAD, call.node, call.this.fact, partial=False)


@table.method("optimizer", "zero_grad")
def zero_grad(call: LibraryCall) -> Value:
    """optimizer.zero_grad()"""
    for fact in (call.this.fact, *wrapped(call.this)):
        call.reader.emit(Kind.ZERO_GRAD, call.node, fact, partial=False)
    return NONE


@table.method("optimizer", "add_param_group")
def add_group(call: LibraryCall) -> Value:
    """optimizer.add_param_group({...})"""
    group = call.get("param_group", 0)
    fact = call.this.fact
    if isinstance(fact, Optimizer):
        if isinstance(group, Mapping):
            fact.groups.append(group_of(call.reader, group, call.node))
            fact.groups_complete = fact.groups_complete and group.exact and not call.reader.conditions
        else:
            fact.groups_complete = False
        call.reader.emit(Kind.GROUP_ADDED, call.node, fact)
    return NONE


@table.method("optimizer", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "optimizer", "fact": call.this.fact})


@table.method("optimizer", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """optimizer.load_state_dict(state)"""
    table.TENSORS["restore"](call, "optimizer")
    return NONE


@table.method("optimizer", "train", "eval")
def mode(call: LibraryCall) -> Value:
    """The modes of schedule-free optimizers."""
    call.reader.emit(Kind.TRAIN_MODE if call.name.endswith("train") else Kind.EVAL_MODE, call.node, call.this.fact)
    return NONE


@table.method(
    "optimizer",
    "register_step_pre_hook",
    "register_step_post_hook",
    "register_state_dict_pre_hook",
    "register_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_load_state_dict_post_hook",
    "share_memory",
    "consolidate_state_dict",
    "profile_hook_step",
    "__repr__",
)
def quiet(call: LibraryCall) -> Value:
    """Hooks: they change no settings."""
    return NONE


# --- groups ------------------------------------------------------------------------------------------------------


@table.attribute("optimizer", "param_groups")
def param_groups(reader: Reader, instance: Instance) -> Value:
    """The groups as objects whose items can be written."""
    fact = instance.fact
    count = len(fact.groups) if isinstance(fact, Optimizer) and fact.groups_complete else 0
    each = 1 <= count <= GROUPS
    held = [
        reader.instance("param_group", role="param_group", data={"of": instance, "index": index if each else None})
        for index in range(count if each else 1)
    ]
    return Sequence("list", {"items": tuple(held), "exact": each})


@table.write("optimizer", "param_groups")
def take_over(reader: Reader, instance: Any, value: Value, node: Any) -> None:
    """self.param_groups = self.inner.param_groups"""
    owner = owner_of(value)
    if isinstance(instance.fact, Optimizer) and owner is not None and owner is not instance.fact:
        instance.fact.groups_of = owner


def _group(call: LibraryCall) -> tuple[Optimizer | None, int | None]:
    fact = call.this.data["of"].fact
    return fact if isinstance(fact, Optimizer) else None, call.this.data.get("index")


@table.method("param_group", "__getitem__", "get", "setdefault", "pop")
def group_item(call: LibraryCall) -> Value:
    """group["lr"], group["params"]"""
    fact, index = _group(call)
    key = call.reader.plain(call.arguments.positional[0]) if call.arguments.positional else None
    if key == "params" and fact is not None:
        if index is not None and index < len(fact.groups):
            return Weights(_unused(fact.groups[index].parameters))
        return Weights(_unused(together([group.parameters for group in fact.groups])))
    if key in ("params", "betas"):
        return Opaque(f"`{key}` of a parameter group")
    return Opaque(f"`{key}` of a parameter group while it trains", "float")


def _unused(given: Parameters) -> Parameters:
    """The weights as the list that the optimizer keeps."""
    return Parameters(given.modules, given.exact, given.filtered, inputs=given.inputs, why=given.why)


@table.method("param_group", "__setitem__")
def group_write(call: LibraryCall) -> Value:
    """group["lr"] = value"""
    key = call.reader.plain(call.arguments.positional[0])
    _write(call, key if isinstance(key, str) else "?", call.arguments.positional[1])
    return NONE


def _write(call: LibraryCall, key: str, value: Value) -> None:
    fact, _ = _group(call)
    found = setting(value)
    if fact is not None and key in ("lr", "?"):
        fact.lr_writes.append(found)
        if key == "lr" and not isinstance(found, Known) and call.reader.turns and all(rate.place != call.place for rate in fact.written):
            from advisor.read.frameworks.torch.written_rates import written_rate

            rate = written_rate(call.reader, call.node)
            fact.written += [rate] if rate is not None else []
    call.reader.emit(Kind.LR_WRITE, call.node, fact, key=key, value=found)


@table.method("param_group", "update")
def group_update(call: LibraryCall) -> Value:
    """group.update({"lr": value}), group.update(lr=value)"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    named = {**(given.items if isinstance(given, Mapping) else {}), **call.arguments.keywords}
    for key, value in named.items():
        _write(call, str(key), value)
    if (given is not None and not (isinstance(given, Mapping) and given.exact)) or not call.arguments.exact:
        _write(call, "?", Opaque("an update of the group"))
    return NONE


@table.method("param_group", "items", "keys", "values")
def group_content(call: LibraryCall) -> Value:
    """What a group holds."""
    return Opaque("the content of a parameter group")


@table.attribute("optimizer", "state", "defaults")
def state(reader: Reader, instance: Instance) -> Value:
    """The optimizer's own memory."""
    return Opaque("the state of the optimizer")


@table.iterate("param_group")
def iterate_group(reader: Reader, instance: Instance) -> Iteration:
    """The keys of a group."""
    return Iteration(Opaque("a key of a parameter group", "str"), what="items")
