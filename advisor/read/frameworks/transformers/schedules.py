"""The learning-rate schedules of Transformers, and its optimizers."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Optimizer, Scheduler
from advisor.model.source import Setting, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, LibraryCall
from advisor.read.python.values import Instance, Library, Union, Value

_BASE: dict[str, Any] = {"optimizer": REQUIRED}
SCHEDULES: dict[str, dict[str, Any]] = {
    "get_constant_schedule": {"last_epoch": -1},
    "get_constant_schedule_with_warmup": {"num_warmup_steps": REQUIRED, "last_epoch": -1},
    "get_linear_schedule_with_warmup": {"num_warmup_steps": REQUIRED, "num_training_steps": REQUIRED, "last_epoch": -1},
    "get_cosine_schedule_with_warmup": {"num_warmup_steps": REQUIRED, "num_training_steps": REQUIRED, "num_cycles": 0.5, "last_epoch": -1},
    "get_cosine_with_hard_restarts_schedule_with_warmup": {
        "num_warmup_steps": REQUIRED,
        "num_training_steps": REQUIRED,
        "num_cycles": 1,
        "last_epoch": -1,
    },
    "get_polynomial_decay_schedule_with_warmup": {
        "num_warmup_steps": REQUIRED,
        "num_training_steps": REQUIRED,
        "lr_end": 1e-7,
        "power": 1.0,
        "last_epoch": -1,
    },
    "get_cosine_with_min_lr_schedule_with_warmup": {
        "num_warmup_steps": REQUIRED,
        "num_training_steps": REQUIRED,
        "num_cycles": 0.5,
        "last_epoch": -1,
        "min_lr": None,
        "min_lr_rate": None,
    },
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": {
        "num_warmup_steps": REQUIRED,
        "num_training_steps": REQUIRED,
        "num_cycles": 0.5,
        "last_epoch": -1,
        "min_lr": None,
        "min_lr_rate": None,
        "warmup_lr_rate": None,
    },
    "get_wsd_schedule": {
        "num_warmup_steps": REQUIRED,
        "num_decay_steps": REQUIRED,
        "num_training_steps": None,
        "num_stable_steps": None,
        "warmup_type": "linear",
        "decay_type": "cosine",
        "min_lr_ratio": 0,
        "num_cycles": 0.5,
        "last_epoch": -1,
    },
    "get_adafactor_schedule": {"initial_lr": 0.0},
    "get_inverse_sqrt_schedule": {"num_warmup_steps": REQUIRED, "timescale": None, "last_epoch": -1},
}
NAMES = {
    "linear": "linear_with_warmup",
    "cosine": "cosine_with_warmup",
    "constant": "constant",
    "constant_with_warmup": "constant_with_warmup",
    "polynomial": "polynomial_decay_with_warmup",
    "inverse_sqrt": "inverse_sqrt",
    "cosine_with_min_lr": "cosine_with_min_lr_with_warmup",
    "cosine_warmup_with_min_lr": "cosine_with_min_lr_with_warmup_lr_rate",
    "warmup_stable_decay": "wsd",
    "cosine_with_restarts": "cosine_with_hard_restarts_with_warmup",
}


def _optimizer(value: Value | None) -> Optimizer | None:
    while isinstance(value, Union):
        value = value.members[0]
    return value.fact if isinstance(value, Instance) and isinstance(value.fact, Optimizer) else None


def build(call: LibraryCall, name: str, settings: dict[str, Setting]) -> Value:
    """A schedule as a scheduler fact bound to its optimizer; kind is the short name that people use ("linear_with_warmup")."""
    kind = name.removeprefix("get_").replace("_schedule", "")
    optimizer = _optimizer(call.get("optimizer", 0))
    fact = Scheduler(call.place, kind=f"transformers.{kind}", settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(f"transformers.{kind}", role="scheduler", fact=fact, node=call.node)


def _handler(name: str, signature: dict[str, Any]) -> None:
    def handler(call: LibraryCall) -> Value:
        return build(call, name, call.settings({**_BASE, **signature}, skip=1))

    for root in ("transformers", "diffusers", "diffusers.optimization", "transformers.optimization"):
        table.FUNCTIONS[f"{root}.{name}"] = handler


for _name, _signature in SCHEDULES.items():
    _handler(_name, _signature)


@table.function("transformers.get_reduce_on_plateau_schedule", "transformers.optimization.get_reduce_on_plateau_schedule")
def plateau(call: LibraryCall) -> Value:
    """get_reduce_on_plateau_schedule(optimizer, **kwargs): torch's own."""
    return call.reader.call(Library("torch.optim.lr_scheduler.ReduceLROnPlateau"), call.arguments, call.node)


@table.function("transformers.get_scheduler", "diffusers.optimization.get_scheduler", "diffusers.get_scheduler")
def get_scheduler(call: LibraryCall) -> Value:
    """get_scheduler(name, optimizer, num_warmup_steps, num_training_steps)"""
    name = call.setting("name", 0)
    settings = {
        "name": name,
        "num_warmup_steps": call.setting("num_warmup_steps", 2, None),
        "num_training_steps": call.setting("num_training_steps", 3, None),
    }
    chosen = value_of(name)
    kind = NAMES.get(str(chosen), str(chosen)) if isinstance(chosen, str) else "get_scheduler"
    optimizer = _optimizer(call.get("optimizer", 1))
    fact = Scheduler(call.place, kind=f"transformers.{kind}", settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("transformers.get_scheduler", role="scheduler", fact=fact, node=call.node)


@table.function("transformers.AdamW")
def adamw(call: LibraryCall) -> Value | None:
    """The AdamW that Transformers shipped until 4.x: weight decay 0 by default."""
    table.load("torch")
    handler = table.FUNCTIONS.get("torch.optim.AdamW")
    result = handler(call) if handler is not None else None
    if isinstance(result, Instance) and isinstance(result.fact, Optimizer):
        result.fact.settings["weight_decay"] = call.setting("weight_decay", 4, 0.0, "Transformers 4")
        result.fact.settings["eps"] = call.setting("eps", 3, 1e-6, "Transformers 4")
    return result
