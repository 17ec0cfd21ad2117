"""torch.optim.lr_scheduler and swa_utils: schedules, whom they write to, how they are stepped."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Module, Optimizer, Scheduler
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Instance, Opaque, Sequence, Value, members, sequence, setting

_O: dict[str, Any] = {"optimizer": REQUIRED}
SIGNATURES: dict[str, dict[str, Any]] = {
    "StepLR": {**_O, "step_size": REQUIRED, "gamma": 0.1, "last_epoch": -1},
    "MultiStepLR": {**_O, "milestones": REQUIRED, "gamma": 0.1, "last_epoch": -1},
    "ExponentialLR": {**_O, "gamma": REQUIRED, "last_epoch": -1},
    "CosineAnnealingLR": {**_O, "T_max": REQUIRED, "eta_min": 0.0, "last_epoch": -1},
    "CosineAnnealingWarmRestarts": {**_O, "T_0": REQUIRED, "T_mult": 1, "eta_min": 0.0, "last_epoch": -1},
    "ConstantLR": {**_O, "factor": 1.0 / 3, "total_iters": 5, "last_epoch": -1},
    "LinearLR": {**_O, "start_factor": 1.0 / 3, "end_factor": 1.0, "total_iters": 5, "last_epoch": -1},
    "PolynomialLR": {**_O, "total_iters": 5, "power": 1.0, "last_epoch": -1},
    "LambdaLR": {**_O, "lr_lambda": REQUIRED, "last_epoch": -1},
    "MultiplicativeLR": {**_O, "lr_lambda": REQUIRED, "last_epoch": -1},
    "OneCycleLR": {
        **_O,
        "max_lr": REQUIRED,
        "total_steps": None,
        "epochs": None,
        "steps_per_epoch": None,
        "pct_start": 0.3,
        "anneal_strategy": "cos",
        "cycle_momentum": True,
        "base_momentum": 0.85,
        "max_momentum": 0.95,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
        "three_phase": False,
        "last_epoch": -1,
    },
    "CyclicLR": {**_O, "base_lr": REQUIRED, "max_lr": REQUIRED, "step_size_up": 2000, "step_size_down": None, "mode": "triangular", "gamma": 1.0},
    "ReduceLROnPlateau": {
        **_O,
        "mode": "min",
        "factor": 0.1,
        "patience": 10,
        "threshold": 1e-4,
        "threshold_mode": "rel",
        "cooldown": 0,
        "min_lr": 0,
        "eps": 1e-8,
    },
    "SequentialLR": {**_O, "schedulers": REQUIRED, "milestones": REQUIRED, "last_epoch": -1},
    "ChainedScheduler": {"schedulers": REQUIRED, "optimizer": None},
}


def bound_to(value: Value | None) -> Optimizer | None:
    """The optimizer that a value is (the default path's when there are several)."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Optimizer):
            return member.fact
    return None


def _build(call: LibraryCall, kind: str, signature: dict[str, Any]) -> Value:
    position = list(signature).index("optimizer") if "optimizer" in signature else None
    optimizer = bound_to(call.get("optimizer", position))
    settings = call.settings(signature)
    settings.pop("optimizer", None)
    fact = Scheduler(call.place, kind=kind, settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    held = call.get("schedulers", list(signature).index("schedulers")) if "schedulers" in signature else None
    if isinstance(held, Sequence):
        fact.children = tuple(item.fact for item in held.items if isinstance(item, Instance) and isinstance(item.fact, Scheduler))
        if fact.optimizer is None and fact.children:
            fact.optimizer, fact.optimizer_known = fact.children[0].optimizer, True
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    data = {"lr_lambda": call.get("lr_lambda", 1)} if "lr_lambda" in signature else {}
    return call.reader.instance(kind, role="scheduler", fact=fact, node=call.node, data=data)


def _register(name: str, signature: dict[str, Any]) -> None:
    full = f"torch.optim.lr_scheduler.{name}"
    table.FUNCTIONS[full] = lambda call: _build(call, full, signature)
    table.CLASS_ROLES[full] = "scheduler"


for _name, _signature in SIGNATURES.items():
    _register(_name, _signature)
for _name in ("LRScheduler", "_LRScheduler"):
    table.CLASS_ROLES[f"torch.optim.lr_scheduler.{_name}"] = "scheduler"


@table.method("scheduler", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(optimizer, last_epoch) of a scheduler class of the project."""
    fact = call.this.fact
    if isinstance(fact, Scheduler):
        fact.optimizer = bound_to(call.get("optimizer", 0))
        fact.optimizer_known = fact.optimizer is not None
        fact.settings.update({key: setting(value) for key, value in call.arguments.keywords.items() if key != "optimizer"})
    return NONE


@table.method("scheduler", "step", "step_update", "step_and_update_lr")
def step(call: LibraryCall) -> Value:
    """scheduler.step([metric])"""
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    value = given[0] if given else None
    flow = getattr(value, "flow", None)
    if flow is None and value is not None and not isinstance(value, Instance):
        flow = Flow() if call.this.kind.endswith("ReduceLROnPlateau") else None
    call.reader.emit(
        Kind.SCHEDULER_STEP, call.node, call.this.fact, metric=flow, arguments=len(given), value=setting(value) if value is not None else None
    )
    return NONE


@table.method("scheduler", "get_last_lr", "get_lr", "_get_closed_form_lr")
def last_rate(call: LibraryCall) -> Value:
    """The current rates."""
    return sequence([Opaque("the current learning rate", "float")], exact=False)


@table.method("scheduler", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "scheduler", "fact": call.this.fact})


@table.method("scheduler", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """scheduler.load_state_dict(state)"""
    restore = table.TENSORS.get("restore")
    if restore is not None:
        restore(call, "scheduler")
    return NONE


@table.attribute("scheduler", "last_epoch", "base_lrs", "num_bad_epochs", "best")
def attribute(reader: Reader, instance: Instance) -> Value:
    """State that changes while it runs."""
    return Opaque("the state of the scheduler")


@table.attribute("scheduler", "optimizer")
def optimizer_of(reader: Reader, instance: Instance) -> Value | None:
    """The optimizer it writes to, as an object."""
    return None


@table.function("torch.optim.swa_utils.SWALR")
def swalr(call: LibraryCall) -> Value:
    """The schedule of weight averaging."""
    return _build(call, "torch.optim.swa_utils.SWALR", {**_O, "swa_lr": REQUIRED, "anneal_epochs": 10, "anneal_strategy": "cos"})
