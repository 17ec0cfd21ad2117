"""Gradient modes, autograd and clipping."""

from __future__ import annotations

import ast
from typing import Any, Literal

from advisor.model.events import Kind
from advisor.model.recipe import Clip, DebuggerStop, Flow
from advisor.model.source import Known, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.torch.flows import flows_in, merge
from advisor.read.frameworks.torch.parameters import parameters
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Function, Instance, Opaque, Tensor, Value, sequence

ANOMALIES = ("torch.autograd.set_detect_anomaly", "torch.autograd.detect_anomaly")
MODES = {
    "torch.no_grad": "no_grad",
    "torch.inference_mode": "inference_mode",
    "torch.enable_grad": "enable_grad",
    "torch.set_grad_enabled": "set_grad_enabled",
}


@table.function(*ANOMALIES)
def detect_anomaly(call: LibraryCall) -> Value:
    """torch.autograd.set_detect_anomaly(True): every operation keeps a traceback, and its gradient is looked through."""
    asked = call.get("mode", 0) if call.name == ANOMALIES[0] else Constant(True)
    if isinstance(asked, Constant) and not asked.weak and not call.reader.refusals.guarded:
        call.reader.record(DebuggerStop(call.place, call=call.name, detects=bool(asked.value)))
    return Opaque(f"result of `{call.name}`")


@table.function(*MODES)
def mode(call: LibraryCall) -> Value:
    """no_grad() and the like: a context, a decorator; set_grad_enabled(False) also acts at once."""
    enabled = call.setting("mode", 0, True)
    what = MODES[call.name]
    if what == "set_grad_enabled":
        value = value_of(enabled)
        instance = call.reader.instance(call.name, role="grad-mode", node=call.node, data={"enabled": enabled, "before": call.reader.grad_mode})
        sure = isinstance(enabled, Known) and not enabled.weak
        call.reader.grad_mode = "unknown" if not sure or not isinstance(value, bool) else "on" if value else "off"
        return instance
    given = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(given, Function):
        return decorated(given, what, {})
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


def decorated(function: Value, what: str, data: dict[str, Any]) -> Value:
    """The function whose body stands in a region."""
    if isinstance(function, Function):
        function.regions = (*function.regions, (what, data))
    return function


@table.decorator(*MODES)
def decorate_mode(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@torch.no_grad()"""
    name = call.name if call is not None else "torch.no_grad"
    data = {"enabled": call.setting("mode", 0, True)} if call is not None and name == "torch.set_grad_enabled" else {}
    return decorated(value, MODES.get(name, "no_grad"), data)


@table.invoke("grad-mode")
def decorate_by_call(call: LibraryCall) -> Value | None:
    """torch.no_grad()(function)"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    return decorated(given, MODES[call.this.kind], {"enabled": call.this.data.get("enabled")}) if isinstance(given, Function) else given


@table.function("torch.is_grad_enabled", "torch.is_inference_mode_enabled")
def is_enabled(call: LibraryCall) -> Value:
    """Whether graphs are recorded: known when it runs."""
    return Opaque("whether gradients are recorded", "bool")


@table.function("torch.autograd.grad")
def autograd_grad(call: LibraryCall) -> Value:
    """Gradients taken by hand: one for each input."""
    call.reader.emit(Kind.AUTOGRAD_GRAD, call.node)
    created = call.reader.plain(call.get("create_graph", 4)) is True
    flows = list(flows_in([value for value in (call.get("outputs", 0),) if value is not None]))
    flow = merge(call.reader, flows) if flows and created else Flow(graph="none")
    return sequence([Tensor(Flow(modules=flow.modules, graph=flow.graph, metric="gradient"))], "tuple", exact=False)


@table.function("torch.autograd.backward")
def autograd_backward(call: LibraryCall) -> Value:
    """torch.autograd.backward(loss), of one loss or of several"""
    value = call.get("tensors", 0)
    flows = list(flows_in([value])) if value is not None else []
    flow = flows[0] if len(flows) == 1 else merge(call.reader, flows) if flows else Flow()
    call.reader.emit(
        Kind.BACKWARD,
        call.node,
        flow=flow,
        scaler=flow.scaler,
        retain_graph=call.setting("retain_graph", 2, None),
        create_graph=call.setting("create_graph", 3, False),
    )
    return NONE


# --- clipping ----------------------------------------------------------------------------------------------------


def _clip(call: LibraryCall, kind: Literal["norm", "value"], limit: str) -> Value:
    given = parameters(call.reader, call.get("parameters", 0), call.node)
    fact = Clip(call.place, kind=kind, value=call.setting(limit, 1), parameters=given)
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(fact))
    return Tensor(Flow(graph="none", metric="gradient norm", rank=0))


@table.function("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_norm", "torch.nn.utils.clip_grads_with_norm_")
def clip_norm(call: LibraryCall) -> Value:
    """Clips by the total norm."""
    return _clip(call, "norm", "max_norm")


@table.function("torch.nn.utils.clip_grad_value_")
def clip_value(call: LibraryCall) -> Value:
    """Clips each entry."""
    _clip(call, "value", "clip_value")
    return NONE


@table.method("module", "clip_grad_norm_")
def clip_module(call: LibraryCall) -> Value:
    """fsdp_model.clip_grad_norm_(max_norm)"""
    from advisor.model.recipe import Module, Parameters

    held = call.this.fact
    given = Parameters((held,)) if isinstance(held, Module) else Parameters(exact=False)
    fact = Clip(call.place, kind="norm", value=call.setting("max_norm", 0), parameters=given)
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(fact))
    return Tensor(Flow(graph="none", metric="gradient norm", rank=0))


@table.function("torch.nn.utils.get_total_norm", "torch.nn.utils.parameters_to_vector")
def total_norm(call: LibraryCall) -> Value:
    """Looks at gradients or weights, changes none."""
    return Tensor(Flow(graph="none", metric="gradient norm"))
