"""Gradient modes, autograd, clipping and mixed precision."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Autocast, Clip, Flow, Parameters, Scaler
from advisor.model.source import ABSENT, Known, Unknown, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Function, Instance, Opaque, Tensor, Value

MODES = {
    "torch.no_grad": "no_grad",
    "torch.inference_mode": "inference_mode",
    "torch.enable_grad": "enable_grad",
    "torch.set_grad_enabled": "set_grad_enabled",
}


@table.function(*MODES)
def mode(call: LibraryCall) -> Value:
    """no_grad() and the like: a context, a decorator; set_grad_enabled(False) also acts at once."""
    enabled = call.setting("mode", 0, True)
    what = MODES[call.name]
    if what == "set_grad_enabled":
        value = value_of(enabled)
        instance = call.reader.instance(call.name, role="grad-mode", node=call.node, data={"enabled": enabled, "before": call.reader.grad_mode})
        call.reader.grad_mode = "on" if value is True else "off" if value is False else "unknown"
        return instance
    given = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(given, Function):
        return _decorated(given, what, {})
    return call.reader.instance(call.name, role="grad-mode", node=call.node, data={"enabled": enabled})


@table.enter(*MODES)
def enter_mode(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with torch.no_grad():"""
    name = instance.kind if isinstance(instance, Instance) else instance.name
    what = MODES[name]
    data = dict(instance.data) if isinstance(instance, Instance) else {}
    if "before" in data:
        reader.grad_mode = data.pop("before")
    if what == "inference_mode" and value_of(data.get("enabled")) is False:
        return Entered()
    return Entered(what, data)


def _decorated(function: Value, what: str, data: dict[str, Any]) -> Value:
    if isinstance(function, Function):
        function.regions = (*function.regions, (what, data))
    return function


@table.decorator(*MODES)
def decorate_mode(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@torch.no_grad()"""
    name = call.name if call is not None else "torch.no_grad"
    data = {"enabled": call.setting("mode", 0, True)} if call is not None and name == "torch.set_grad_enabled" else {}
    return _decorated(value, MODES.get(name, "no_grad"), data)


@table.invoke("grad-mode")
def decorate_by_call(call: LibraryCall) -> Value | None:
    """torch.no_grad()(function)"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    return _decorated(given, MODES[call.this.kind], {"enabled": call.this.data.get("enabled")}) if isinstance(given, Function) else given


@table.function("torch.autograd.grad")
def autograd_grad(call: LibraryCall) -> Value:
    """Gradients taken by hand."""
    call.reader.emit(Kind.AUTOGRAD_GRAD, call.node)
    return Tensor(Flow())


@table.function("torch.autograd.backward")
def autograd_backward(call: LibraryCall) -> Value:
    """torch.autograd.backward(loss)"""
    value = call.get("tensors", 0)
    call.reader.emit(Kind.BACKWARD, call.node, flow=getattr(value, "flow", None) or Flow(), scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    return NONE


def _clip(call: LibraryCall, kind: str, limit: str) -> Value:
    describe = table.TENSORS["parameters"]
    given: Parameters = describe(call.reader, call.get("parameters", 0), call.node)  # type: ignore[assignment]
    fact = Clip(call.place, kind=kind, value=call.setting(limit, 1), parameters=given)  # type: ignore[arg-type]
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(fact))
    return Tensor(Flow(graph="cut", metric="gradient norm"))


@table.function("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_norm")
def clip_norm(call: LibraryCall) -> Value:
    """Clips by the total norm."""
    return _clip(call, "norm", "max_norm")


@table.function("torch.nn.utils.clip_grad_value_")
def clip_value(call: LibraryCall) -> Value:
    """Clips each entry."""
    return _clip(call, "value", "clip_value")


@table.function("torch.nn.utils.clip_grads_with_norm_")
def clip_with_norm(call: LibraryCall) -> Value:
    """The second half of clip_grad_norm_, with a norm given."""
    return _clip(call, "norm", "max_norm")


# --- mixed precision ---------------------------------------------------------------------------------------------


@table.function("torch.autocast", "torch.cuda.amp.autocast", "torch.cpu.amp.autocast")
def autocast(call: LibraryCall) -> Value:
    """An autocast region waiting to be entered."""
    cuda = call.name == "torch.cuda.amp.autocast"
    fact = Autocast(call.place)
    if cuda:
        fact.device = Known("cuda", default="torch.cuda.amp")
        fact.enabled = call.setting("enabled", 0, True)
        fact.dtype = call.setting("dtype", 1, "torch.float16")
    else:
        fact.device = call.setting("device_type", 0)
        device = str(value_of(fact.device) or "")
        fact.enabled = call.setting("enabled", 2, True)
        default = "torch.bfloat16" if device.startswith("cpu") else "torch.float16" if device.startswith("cuda") else None
        fact.dtype = call.setting("dtype", 1, default)
        if isinstance(fact.dtype, Known) and fact.dtype.value is None:
            fact.dtype = Known(default, default="torch 2.13") if default else Unknown("it follows the device")
    call.reader.record(fact)
    return call.reader.instance("torch.autocast", role="autocast", fact=fact, node=call.node)


@table.enter("autocast")
def enter_autocast(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with autocast():"""
    return Entered("autocast", {"autocast": instance.fact, "enabled": instance.fact.enabled if instance.fact else None})


@table.decorator("torch.autocast", "torch.cuda.amp.autocast")
def decorate_autocast(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@autocast()"""
    fact = None
    if call is not None:
        made = autocast(call)
        fact = made.fact if isinstance(made, Instance) else None
    return _decorated(value, "autocast", {"autocast": fact})


@table.function("torch.amp.GradScaler", "torch.cpu.amp.GradScaler")
def scaler(call: LibraryCall) -> Value:
    """A gradient scaler."""
    fact = Scaler(call.place, enabled=call.setting("enabled", None, True))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("torch.amp.GradScaler", role="scaler", fact=fact, node=call.node)


table.CLASS_ROLES["torch.amp.GradScaler"] = "scaler"


@table.method("scaler", "scale")
def scale(call: LibraryCall) -> Value:
    """scaler.scale(loss): the loss, remembered as scaled."""
    value = call.get("outputs", 0)
    if isinstance(value, Tensor):
        flow = replace(value.flow)  # a tensor of its own: the loss itself stays as it was
        call.reader.scaled[id(flow)] = (flow, call.this.fact)
        return Tensor(flow)
    return value if value is not None else Opaque("a scaled loss", "tensor")


@table.method("scaler", "unscale_")
def unscale(call: LibraryCall) -> Value:
    """scaler.unscale_(optimizer)"""
    value = call.get("optimizer", 0)
    call.reader.emit(Kind.UNSCALE, call.node, call.this.fact, optimizer=bound_to(value))
    return NONE


@table.method("scaler", "step")
def scaler_step(call: LibraryCall) -> Value:
    """scaler.step(optimizer)"""
    value = call.get("optimizer", 0)
    fact = bound_to(value)
    if isinstance(value, Instance) and value.cls is not None and value.role != "optimizer":
        call.reader.call(call.reader.attribute(value, "step", call.node), Arguments(), call.node)
    call.reader.emit(Kind.OPTIMIZER_STEP, call.node, fact, scaler=call.this.fact, closure=False)
    return NONE


@table.method("scaler", "update")
def scaler_update(call: LibraryCall) -> Value:
    """scaler.update()"""
    call.reader.emit(Kind.SCALER_UPDATE, call.node, call.this.fact)
    return NONE


@table.method("scaler", "state_dict")
def scaler_state(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "scaler", "fact": call.this.fact})


@table.method("scaler", "load_state_dict", "get_scale", "is_enabled", "get_growth_factor")
def scaler_quiet(call: LibraryCall) -> Value:
    """State of the scaler."""
    if call.name.endswith("load_state_dict"):
        restore = table.TENSORS.get("restore")
        if restore is not None:
            restore(call, "scaler")
    return Opaque("the state of the scaler", "float")
