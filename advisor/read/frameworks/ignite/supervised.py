"""The engines that ignite makes: a supervised training step, and an evaluation step."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from advisor.model.events import Condition
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Setting, is_absent, number, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.ignite.engine import make, standing
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, regions
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Mapping, Opaque, Sequence, Tensor, Value, sequence, setting

TRAINER = (
    "model", "optimizer", "loss_fn", "device", "non_blocking", "prepare_batch", "model_transform", "output_transform", "deterministic", "amp_mode",
    "scaler", "gradient_accumulation_steps", "model_fn",
)  # fmt: skip
EVALUATOR = ("model", "metrics", "device", "non_blocking", "prepare_batch", "model_transform", "output_transform", "amp_mode", "model_fn")


def halves(reader: Reader, batch: Value, node: ast.AST) -> Value:
    """x, y = batch"""
    if isinstance(batch, Sequence) and len(batch.items) == 2:
        return sequence(batch.items, "tuple")
    return sequence([reader.subscript(batch, Constant(0), node), reader.subscript(batch, Constant(1), node)], "tuple")


class Request:
    """The arguments of a factory, kept for the time when the engine runs."""

    def __init__(self, call: LibraryCall, names: tuple[str, ...]) -> None:
        self.node, self.stands = call.node, call.reader.frame.module
        self.given = {name: value for position, name in enumerate(names) if (value := call.get(name, position)) is not None}

    def get(self, name: str) -> Value | None:
        """What is given for a name; None where it is left out or None."""
        value = self.given.get(name)
        return None if isinstance(value, Constant) and value.value is None else value

    def thing(self, name: str) -> Value:
        """The same, or something unknown."""
        return self.get(name) or Opaque(f"the argument `{name}`")

    def apply(self, reader: Reader, name: str, arguments: list[Value], otherwise: Callable[[], Value]) -> Value:
        """A function that the program may give, else what ignite does by itself."""
        given = self.get(name)
        return reader.call(given, Arguments(list(arguments)), self.node) if given is not None else otherwise()


@table.function("ignite.supervised_training_step", "ignite.supervised_training_step_amp")
def training_step(call: LibraryCall) -> Value:
    """Engine(supervised_training_step(model, optimizer, loss_fn))"""
    made = call.name.endswith("amp")
    request = Request(call, tuple(name for name in TRAINER if name not in ("deterministic", "amp_mode", *(() if made else ("scaler",)))))
    if made:
        request.given["amp_mode"] = Constant("amp")
    return make(call, lambda reader, engine, batch: _training_step(reader, request, batch))


@table.function("ignite.supervised_evaluation_step", "ignite.supervised_evaluation_step_amp")
def evaluation_step(call: LibraryCall) -> Value:
    """Engine(supervised_evaluation_step(model))"""
    request = Request(call, tuple(name for name in EVALUATOR if name not in ("metrics", "amp_mode")))
    if call.name.endswith("amp"):
        request.given["amp_mode"] = Constant("amp")
    return make(call, lambda reader, engine, batch: _evaluation_step(reader, request, batch))


@table.function("ignite.create_supervised_trainer")
def create_supervised_trainer(call: LibraryCall) -> Value:
    """create_supervised_trainer(model, optimizer, loss_fn, ...)"""
    request = Request(call, TRAINER)
    if isinstance(scaler := request.get("scaler"), Constant) and scaler.value is True:
        request.given["scaler"] = call.reader.call(Library("torch.amp.GradScaler"), Arguments(), call.node)
    return make(call, lambda reader, engine, batch: _training_step(reader, request, batch))


def _training_step(reader: Reader, request: Request, batch: Value) -> Value:
    node, model, optimizer = request.node, request.thing("model"), request.thing("optimizer")
    with standing(reader, request.stands):
        accumulated = _accumulated(request)
        _window(reader, request, accumulated, "(engine.state.iteration - 1)", lambda: _method(reader, optimizer, "zero_grad", node))
        _method(reader, model, "train", node)
        x, y = _prepared(reader, request, batch)
        predicted, loss = _autocast(reader, request, lambda: _loss(reader, request, x, y))
        shared = _divided(loss, accumulated)
        scaler = request.get("scaler")
        if isinstance(scaler, Instance) and scaler.role == "scaler":
            _method(reader, _method(reader, scaler, "scale", node, shared), "backward", node)

            def step() -> None:
                _method(reader, scaler, "step", node, optimizer)
                _method(reader, scaler, "update", node)
        else:
            _method(reader, shared, "backward", node)

            def step() -> None:
                _method(reader, optimizer, "step", node)

        _window(reader, request, accumulated, "engine.state.iteration", step)
        return request.apply(reader, "output_transform", [x, y, predicted, loss], lambda: _method(reader, loss, "item", node))


def _method(reader: Reader, owner: Value, name: str, node: ast.AST, *given: Value) -> Value:
    return calls.call_method(reader, owner, name, Arguments(list(given)), node)


def _prepared(reader: Reader, request: Request, batch: Value) -> tuple[Value, Value]:
    named = {name: request.thing(name) for name in ("device", "non_blocking")}
    given = request.get("prepare_batch")
    pair = reader.call(given, Arguments([batch], named), request.node) if given is not None else halves(reader, batch, request.node)
    return reader.subscript(pair, Constant(0), request.node), reader.subscript(pair, Constant(1), request.node)


def _predicted(reader: Reader, request: Request, x: Value) -> Value:
    model = request.thing("model")
    output = request.apply(reader, "model_fn", [model, x], lambda: reader.call(model, Arguments([x]), request.node))
    return request.apply(reader, "model_transform", [output], lambda: output)


def _loss(reader: Reader, request: Request, x: Value, y: Value) -> tuple[Value, Value]:
    predicted = _predicted(reader, request, x)
    loss = reader.call(request.thing("loss_fn"), Arguments([predicted, y]), request.node)
    return predicted, loss if not isinstance(loss, Opaque) else Tensor(loss.flow or Flow())


def _autocast(reader: Reader, request: Request, body: Callable[[], Any]) -> Any:
    if reader.plain(request.get("amp_mode")) != "amp":
        return body()
    made = reader.call(Library("torch.autocast"), Arguments([], {"device_type": Constant("cuda"), "enabled": Constant(True)}), request.node)
    found: list[Any] = []

    def inside() -> str | None:
        found.append(body())
        return None

    entered = regions.enter_value(reader, made, request.node)
    data = entered.data if entered is not None else {}
    regions.in_region(reader, reader.place(request.node), "autocast", data, inside)
    return found[0]


def _accumulated(request: Request) -> Setting | None:
    """How many batches make a step, as a setting; None for one."""
    held = setting(request.get("gradient_accumulation_steps"))
    return None if is_absent(held) or number(held) == 1 else held


def _divided(loss: Value, by: Setting | None) -> Value:
    return Tensor(replace(loss.flow, divided=(*loss.flow.divided, by))) if by is not None and isinstance(loss, Tensor) else loss


def _window(reader: Reader, request: Request, by: Setting | None, counted: str, act: Callable[[], object]) -> None:
    """if counted % gradient_accumulation_steps == 0: act()"""
    if by is None:
        act()
        return
    text = f"{counted} % {value_of(by) or 'gradient_accumulation_steps'} == 0"
    condition = Condition(text, text, operator="==", modulo=by, modulo_of=counted)
    reader.branch(request.node, condition, [("unknown", True, lambda: (None, act())), ("else", False, lambda: (None, None))])


@table.function("ignite.create_supervised_evaluator")
def create_supervised_evaluator(call: LibraryCall) -> Value:
    """create_supervised_evaluator(model, metrics={"accuracy": Accuracy()}, ...): eval mode, no gradients."""
    from advisor.read.frameworks.ignite.measures import attach_metric

    request = Request(call, EVALUATOR)
    engine = make(call, lambda reader, engine, batch: _evaluation_step(reader, request, batch))
    metrics = request.get("metrics")
    for name, metric in metrics.items.items() if isinstance(metrics, Mapping) else ():
        attach_metric(call.reader, engine, Constant(str(name)), metric, call.node)
    return engine


def _evaluation_step(reader: Reader, request: Request, batch: Value) -> Value:
    found: list[Value] = []

    def inside() -> str | None:
        x, y = _prepared(reader, request, batch)
        predicted = _autocast(reader, request, lambda: _predicted(reader, request, x))
        found.append(request.apply(reader, "output_transform", [x, y, predicted], lambda: sequence([predicted, y], "tuple")))
        return None

    with standing(reader, request.stands):
        _method(reader, request.thing("model"), "eval", request.node)
        regions.in_region(reader, reader.place(request.node), "no_grad", {}, inside)
    return found[0] if found else NONE

