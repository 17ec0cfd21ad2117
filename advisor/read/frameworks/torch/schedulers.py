"""torch.optim.lr_scheduler: schedules, whom they write to, how they are stepped."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Event, Kind, walk
from advisor.model.pattern import pattern
from advisor.model.recipe import Flow, Optimizer, Scheduler
from advisor.model.source import Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import beginnings
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Instance, Library, Opaque, Sequence, Value, members, sequence, setting

ROOT = "torch.optim.lr_scheduler."
_ONE_THIRD = "0.3333333333333333"
SCHEDULERS: dict[str, str] = {
    "StepLR": "optimizer, step_size, gamma=0.1, last_epoch=-1",
    "MultiStepLR": "optimizer, milestones, gamma=0.1, last_epoch=-1",
    "ExponentialLR": "optimizer, gamma, last_epoch=-1",
    "CosineAnnealingLR": "optimizer, T_max, eta_min=0.0, last_epoch=-1",
    "CosineAnnealingWarmRestarts": "optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1",
    "ConstantLR": f"optimizer, factor={_ONE_THIRD}, total_iters=5, last_epoch=-1",
    "LinearLR": f"optimizer, start_factor={_ONE_THIRD}, end_factor=1.0, total_iters=5, last_epoch=-1",
    "PolynomialLR": "optimizer, total_iters=5, power=1.0, last_epoch=-1",
    "LambdaLR": "optimizer, lr_lambda, last_epoch=-1",
    "MultiplicativeLR": "optimizer, lr_lambda, last_epoch=-1",
    "OneCycleLR": (
        "optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy='cos', cycle_momentum=True, "
        "base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=10000.0, three_phase=False, last_epoch=-1"
    ),
    "CyclicLR": (
        "optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode='triangular', gamma=1.0, scale_fn=None, scale_mode='cycle', "
        "cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1"
    ),
    "ReduceLROnPlateau": ("optimizer, mode='min', factor=0.1, patience=10, threshold=0.0001, threshold_mode='rel', cooldown=0, min_lr=0, eps=1e-08"),
    "SequentialLR": "optimizer, schedulers, milestones, last_epoch=-1",
    "ChainedScheduler": "schedulers, optimizer=None",
}
SWA = "optimizer, swa_lr, anneal_epochs=10, anneal_strategy='cos', last_epoch=-1"
KEPT = ("lr_lambda", "scale_fn")  # functions among the arguments
BASES = ("LRScheduler", "_LRScheduler", "object")
OF_OPTIMIZER = pattern(  # where the rates of an optimizer are asked for
    r"base_lr|[\"'](initial_)?lr[\"'](?!\]\s*=(?!=))|last_lr|\.defaults|\.get_lr\(|state_dict|__dict__"
)
OF_GROUPS = ("base_lrs", "max_lrs", "lr_lambdas")


def bound_to(value: Value | None) -> Optimizer | None:
    """The optimizer that a value is (the default path's when there are several)."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Optimizer):
            return member.fact
    return None


def build(call: LibraryCall, kind: str, names: dict[str, Any]) -> Instance:
    """A scheduler with every setting, its optimizer and its children."""
    order = list(names)
    given = call.get("optimizer", order.index("optimizer"))
    optimizer = bound_to(given)
    settings = call.settings(names)
    settings.pop("optimizer", None)
    fact = Scheduler(call.place, kind=kind, settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    held = call.get("schedulers", order.index("schedulers")) if "schedulers" in names else None
    if isinstance(held, Sequence):
        parts = [member for item in held.items for member in members(item)[:1]]
        fact.children = tuple(item.fact for item in parts if isinstance(item, Instance) and isinstance(item.fact, Scheduler))
        if fact.optimizer is None and fact.children:
            fact.optimizer, fact.optimizer_known = fact.children[0].optimizer, fact.children[0].optimizer_known
    if "lr_lambda" in names and kind.endswith("LambdaLR"):
        fact.begins = beginnings.of_lambda(call.reader, call.get("lr_lambda", order.index("lr_lambda")))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    data = {key: value for key in KEPT if key in names and (value := call.get(key, order.index(key))) is not None}
    attributes = {"optimizer": given} if given is not None and optimizer is not None else {}
    return call.reader.instance(kind, role="scheduler", fact=fact, node=call.node, data=data, attributes=attributes)


def register(full: str, text: str) -> None:
    """A scheduler class by its dotted name, with its signature."""
    table.FUNCTIONS[full] = lambda call: build(call, full, signature(text))
    table.CLASS_ROLES[full] = "scheduler"


for _name, _text in SCHEDULERS.items():
    register(ROOT + _name, _text)
register("torch.optim.swa_utils.SWALR", SWA)
for _name in ("LRScheduler", "_LRScheduler"):
    table.CLASS_ROLES[ROOT + _name] = "scheduler"


@table.function(f"{ROOT}?")
def any_of(call: LibraryCall) -> None:
    """getattr(lr_scheduler, name)(optimizer, ...): a schedule of a class that is not known."""
    call.reader.recipe.schedulers.complete = False
    call.reader.recipe.schedulers.why = "the class of a scheduler has a name that is not known"


@table.method("scheduler", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(optimizer, last_epoch) of a scheduler class of the project, or of one derived from torch's own."""
    fact, given = call.this.fact, call.get("optimizer", 0)
    if isinstance(fact, Scheduler):
        fact.optimizer = bound_to(given)
        fact.optimizer_known = fact.optimizer is not None
        text = SCHEDULERS.get(call.this.kind.removeprefix(ROOT))
        if text is not None and "optimizer" in signature(text):
            fact.settings.update({key: value for key, value in call.settings(signature(text)).items() if key not in ("optimizer", "schedulers")})
        else:
            fact.settings.update({key: setting(value) for key, value in call.arguments.keywords.items() if key != "optimizer"})
        fact.given = _of_its_own(call)
        fact.begins = beginnings.of_class(call)
    if given is not None:
        call.reader.store.write(call.this.attributes, "optimizer", given)
    return NONE


def _of_its_own(call: LibraryCall) -> tuple[Setting, ...] | None:
    """What the constructor that runs was given, of a class whose text asks for no rate of the optimizer: its get_lr makes them of other numbers."""
    cls, frame = call.this.cls, call.reader.frame
    if cls is None or "get_lr" not in cls.namespace or frame.function is None or frame.owner is not cls:
        return None
    if not all(isinstance(base, Library) and base.name.rpartition(".")[2] in BASES for base in cls.mro if base is not cls):
        return None
    node = cls.node
    text = "\n".join(cls.module.lines[node.lineno - 1 : node.end_lineno])
    return tuple(setting(value) for value in frame.names.values()) if OF_OPTIMIZER.search(text) is None else None


@table.method("scheduler", "step", "step_update", "step_and_update_lr")
def step(call: LibraryCall) -> Value:
    """scheduler.step([metric])"""
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    value = given[0] if given else None
    flow = getattr(value, "flow", None)
    if flow is None and value is not None and not isinstance(value, Instance):
        flow = Flow() if call.this.kind.endswith("ReduceLROnPlateau") else None
    held = setting(value) if value is not None else None
    several = call.reader.refusals.samples.hold(call.this)
    data = {"metric": flow, "arguments": len(given), "value": held, "called": _called(call), "several": several}
    call.reader.emit(Kind.SCHEDULER_STEP, call.node, call.this.fact, **data)
    return NONE


def _called(call: LibraryCall) -> str | None:
    """The name of what is handed to step, where it is a plain variable, attribute or entry: `val_loss`, `self.best_acc`, `metrics["val_loss"]`."""
    if not isinstance(call.node, ast.Call):
        return None
    handed = next(iter(call.node.args), None) or next((keyword.value for keyword in call.node.keywords), None)
    if isinstance(handed, ast.Name):
        return handed.id
    if isinstance(handed, ast.Attribute):
        return handed.attr
    key = handed.slice if isinstance(handed, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


@table.override("scheduler", "step")
def own_step(call: LibraryCall, nodes: list[Any]) -> None:
    """The step of a scheduler class of the project, unless it passes the call on."""
    inside = (node for node, _ in walk(nodes) if isinstance(node, Event) and node.kind is Kind.SCHEDULER_STEP)
    if not any(event.subject is call.this.fact for event in inside):
        step(call)


@table.method("scheduler", "get_last_lr", "get_lr", "_get_closed_form_lr")
def last_rate(call: LibraryCall) -> Value:
    """The current rates, one for each group."""
    fact = call.this.fact
    optimizer = fact.optimizer if isinstance(fact, Scheduler) else None
    count = len(optimizer.groups) if optimizer is not None and optimizer.groups_complete else 0
    rate = Opaque("the current learning rate", "float", low=0)
    return sequence([rate] * max(1, count), exact=count > 0)


@table.method("scheduler", "state_dict")
def state_dict(call: LibraryCall) -> Value:
    """What a checkpoint keeps of it."""
    return call.reader.instance("state", role="state", data={"of": "scheduler", "fact": call.this.fact})


@table.method("scheduler", "load_state_dict")
def load_state_dict(call: LibraryCall) -> Value:
    """scheduler.load_state_dict(state)"""
    table.TENSORS["restore"](call, "scheduler")
    return NONE


@table.method("scheduler", "print_lr", "is_better", "in_cooldown", "_reset", "_initial_step")
def quiet(call: LibraryCall) -> Value:
    """Looks, and changes nothing that the rules ask about."""
    return Opaque("the state of the scheduler")


@table.attribute("scheduler", *OF_GROUPS)
def of_groups(reader: Reader, instance: Instance) -> Value:
    """What it keeps for each group: a program that asks for it may add to it."""
    _by_hand(reader, instance, NONE, None)
    return Opaque("the state of the scheduler")


@table.write("scheduler", *OF_GROUPS)
def _by_hand(reader: Reader, instance: Instance, value: Value, node: ast.AST | None) -> None:
    """scheduler.base_lrs = [...]"""
    if isinstance(instance.fact, Scheduler):
        instance.fact.kept_by_hand = True


@table.attribute("scheduler", "last_epoch", "num_bad_epochs", "best", "_last_lr", "_step_count", "cooldown_counter", "total_steps")
def attribute(reader: Reader, instance: Instance) -> Value:
    """State that changes while it runs."""
    return Opaque("the state of the scheduler")


@table.write("scheduler", "last_epoch")
def _stands(reader: Reader, instance: Instance, value: Value, node: ast.AST) -> None:
    """scheduler.last_epoch = start - 1: it counts on from there, as if it had been built with it."""
    if isinstance(instance.fact, Scheduler):
        instance.fact.settings["last_epoch"] = setting(value, reader.place(node))
