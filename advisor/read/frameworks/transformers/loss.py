"""The loss that a Trainer computes for each batch: the library's own, or a compute_loss of the program, read with a batch of its data."""

from __future__ import annotations

import ast

from advisor.model.events import Kind, events
from advisor.model.recipe import Flow, Loader, Loss, Module
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.optimization import model_of
from advisor.read.frameworks.transformers.refusals import COUNTED
from advisor.read.python import classes, functions, sampled
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Constant, Function, Instance, Opaque, Tensor, Value, members, sequence


def step_loss(reader: Reader, this: Instance, loader: Loader | None, node: ast.AST) -> Flow:
    """Emits what is computed for one batch, and gives the loss."""
    function = classes.class_lookup(reader, this.cls, "compute_loss") if this.cls is not None else None
    model = model_of(this)
    if not isinstance(function, Function) or model is None:
        return _of_library(reader, this, node)
    batch = Tensor(Flow(source=loader, graph="none"))
    named: dict[str, Value] = {COUNTED: Opaque("how many tokens count", "int")} if COUNTED in _parameters(function) else {}
    result = functions.call_function(reader, function, Arguments([this, model, batch], named), node, this)
    sampled.judge_where(reader, function, "return_outputs")  # it is on where the trainer evaluates and predicts
    loss = next((one.flow for one in members(result) if isinstance(one, Tensor)), None)
    ran = any(event.subject is model.fact for event, _ in events(reader.block, Kind.FORWARD))
    if loss is not None and ran:
        return loss
    modules = (model.fact,) if isinstance(model.fact, Module) else ()
    flow = Flow(modules=modules, graph="kept")
    if not ran:
        reader.emit(Kind.FORWARD, node, model.fact, input=None, output=flow, grad_mode="on")
    return flow


def _parameters(function: Function) -> set[str]:
    spec = function.node.args
    return {argument.arg for argument in (*spec.args, *spec.kwonlyargs)}


def _of_library(reader: Reader, this: Instance, node: ast.AST) -> Flow:
    model = model_of(this)
    fact = model.fact if model is not None else None
    loss = reader.record(Loss(reader.place(node), kind=f"{this.kind}.loss"))
    modules = (fact,) if isinstance(fact, Module) else ()
    flow = Flow(modules=modules, losses=(loss,), graph="kept", metric="loss", direction="min")
    reader.emit(Kind.FORWARD, node, fact, input=None, output=flow, grad_mode="on")
    return flow


@table.method("hf-trainer", "compute_loss")
def compute_loss(call: LibraryCall) -> Value:
    """super().compute_loss(model, inputs): what the trainer would do without the program's own."""
    loss = Tensor(_of_library(call.reader, call.this, call.node))
    outputs = call.get("return_outputs", 2)
    if outputs is None or (isinstance(outputs, Constant) and outputs.value is False):
        return loss
    if isinstance(outputs, Constant):
        return sequence([loss, Tensor(Flow(modules=loss.flow.modules, graph="kept"))], "tuple")
    return Opaque("a loss, alone or with what the model gave")
