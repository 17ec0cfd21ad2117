"""Mixed precision: regions of autocast, and scalers of gradients."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Autocast, Flow, Module, Optimizer, RefusedCall, RefusedRun, Scaler
from advisor.model.record import replace
from advisor.model.source import Known, Unknown, first, is_absent, is_none, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.torch.gradients import decorated
from advisor.read.frameworks.torch.optim import wrapped
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Function, Instance, Opaque, Tensor, Union, Value, join, members

AUTOCASTS = ("torch.autocast", "torch.cuda.amp.autocast", "torch.cpu.amp.autocast")
TYPES = {"cuda": "torch.float16", "cpu": "torch.bfloat16", "mps": "torch.float16", "xpu": "torch.float16"}  # what autocast computes in by default
REPLICAS = frozenset({"DDP", "DistributedDataParallel", "DataParallel"})  # hold the weights as they are
TAKEN = ("device_type", "dtype", "enabled", "cache_enabled")


@table.function(*AUTOCASTS)
def autocast(call: LibraryCall) -> Value:
    """An autocast region waiting to be entered; torch.autocast(...)(function) decorates."""
    fact = Autocast(call.place)
    version = call.reader.default_version(call.name)
    if call.name == "torch.autocast":
        _note_without_device(call)
        fact.device = call.setting("device_type", 0)
        fact.enabled = call.setting("enabled", 2, True)
        fact.dtype = call.setting("dtype", 1, None)
    else:
        device = call.name.split(".")[1]
        fact.device = Known(device, default=version)
        fact.enabled = call.setting("enabled", 0, True)
        fact.dtype = call.setting("dtype", 1, TYPES[device])
    if isinstance(fact.dtype, Known) and fact.dtype.value is None:
        known = first(fact.device)
        device = str(known.value).partition(":")[0] if known is not None else ""
        fact.dtype = Known(TYPES[device], default=version) if device in TYPES else Unknown("it follows the device")
    call.reader.record(fact)
    return call.reader.instance("torch.autocast", role="autocast", fact=fact, node=call.node)


def _note_without_device(call: LibraryCall) -> None:
    """Notes torch.autocast() without the type of device, which autocast of torch.cuda.amp does not need."""
    given = call.arguments
    if given.exact and given.written and isinstance(call.node, ast.Call) and not given.positional and "device_type" not in given.keywords:
        unexpected = tuple(name for name in given.keywords if name not in TAKEN)
        fact = RefusedCall(call.place, callee="torch.autocast", taken=TAKEN, missing=TAKEN[:1], unexpected=unexpected)
        call.reader.refusals.refuse(call.reader, call.node, fact)


@table.enter("autocast")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with autocast():"""
    return Entered("autocast", {"autocast": instance.fact, "enabled": instance.fact.enabled if instance.fact else None})


@table.decorator(*AUTOCASTS)
def decorate(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@autocast()"""
    fact = None
    if call is not None:
        made = autocast(call)
        fact = made.fact if isinstance(made, Instance) else None
    return decorated(value, "autocast", {"autocast": fact, "enabled": getattr(fact, "enabled", None)})


@table.invoke("autocast")
def decorate_by_call(call: LibraryCall) -> Value | None:
    """torch.autocast("cuda")(function)"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    fact = call.this.fact
    if isinstance(given, Function):
        return decorated(given, "autocast", {"autocast": fact, "enabled": getattr(fact, "enabled", None)})
    return given


# --- scalers -----------------------------------------------------------------------------------------------------


@table.function("torch.amp.GradScaler", "torch.cpu.amp.GradScaler")
def scaler(call: LibraryCall) -> Value:
    """A gradient scaler. The old torch.cuda.amp.GradScaler takes no device first: positions beyond it are not told apart."""
    fact = Scaler(call.place, enabled=call.setting("enabled", 5, True))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("torch.amp.GradScaler", role="scaler", fact=fact, node=call.node)


table.CLASS_ROLES["torch.amp.GradScaler"] = "scaler"


@table.method("scaler", "scale")
def scale(call: LibraryCall) -> Value:
    """scaler.scale(loss): a tensor of its own, multiplied; the loss itself stays as it was."""
    value = call.get("outputs", 0)
    if isinstance(value, Union):
        return join([_scaled(call, member) for member in value.members], value.when)
    return _scaled(call, value)


def _scaled(call: LibraryCall, value: Value | None) -> Value:
    if isinstance(value, Tensor):
        return Tensor(replace(value.flow, scaler=call.this.fact))
    return Tensor(replace(getattr(value, "flow", None) or Flow(), scaler=call.this.fact))  # a loss that comes from unread code


@table.method("scaler", "unscale_")
def unscale(call: LibraryCall) -> Value:
    """scaler.unscale_(optimizer)"""
    call.reader.emit(Kind.UNSCALE, call.node, call.this.fact, optimizer=bound_to(call.get("optimizer", 0)))
    return NONE


@table.method("scaler", "step")
def step(call: LibraryCall) -> Value:
    """scaler.step(optimizer)"""
    value = call.get("optimizer", 0)
    if isinstance(value, Instance) and value.cls is not None and value.role != "optimizer":
        call.reader.call(call.reader.attribute(value, "step", call.node), Arguments(), call.node)
    own = bound_to(value)
    if own is not None:
        _note_half_weights(call, own)
    steps = [own]
    for member in members(value) if value is not None and own is not None else ():
        if isinstance(member, Instance) and member.fact is own:
            steps += wrapped(member)
    for fact in steps:
        call.reader.emit(Kind.OPTIMIZER_STEP, call.node, fact, scaler=call.this.fact, closure=False)
    return NONE


def _note_half_weights(call: LibraryCall, optimizer: Optimizer) -> None:
    """Notes a scaler that is to unscale the gradients of weights that are float16 by now, which it refuses; a fused step unscales by itself."""
    reader, fact = call.reader, call.this.fact
    enabled = fact.enabled if isinstance(fact, Scaler) else None
    sure = isinstance(enabled, Known) and enabled.value is True and not enabled.weak and not reader.refusals.guarded
    if not sure or optimizer.user_class or optimizer.owner is not None or any(label != "default" for _, label in reader.conditions):
        return
    fused = optimizer.settings.get("fused")
    if fused is not None and not is_none(fused) and value_of(fused) is not False:
        return
    for group in optimizer.groups:
        for module in group.parameters.modules if group.parameters.exact else ():
            dtype = module.dtype
            whole = REPLICAS.issuperset(module.wrapped) and module.escaped is None and module.trainable == "yes"
            if whole and isinstance(dtype, Known) and dtype.value == "torch.float16" and not dtype.weak and not _cast_back(module):
                reader.record(RefusedRun(call.place, lacks="scaled", taker="GradScaler", given=module.name, defined=dtype.place))
                return


def _cast_back(module: Module) -> bool:
    """True where parts of what is float16 were given another type."""
    return any(not is_absent(part.dtype) for part in module.walk() if part is not module)


@table.method("scaler", "update")
def update(call: LibraryCall) -> Value:
    """scaler.update()"""
    call.reader.emit(Kind.SCALER_UPDATE, call.node, call.this.fact)
    return NONE


@table.method("scaler", "state_dict")
def state(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "scaler", "fact": call.this.fact})


@table.method("scaler", "load_state_dict")
def load_state(call: LibraryCall) -> Value:
    """scaler.load_state_dict(state)"""
    table.TENSORS["restore"](call, "scaler")
    return NONE


@table.method("scaler", "get_scale", "is_enabled", "get_growth_factor", "get_backoff_factor", "get_growth_interval")
def number(call: LibraryCall) -> Value:
    """State of the scaler."""
    return Opaque("the state of the scaler", "bool" if call.name.endswith("is_enabled") else "float")
