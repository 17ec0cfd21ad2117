"""Schedules of parameters: ignite's own, which write a rate by themselves, and torch's inside a wrapper. The event they hang on is their cadence."""

from __future__ import annotations

import ast
from typing import Any, Literal

from advisor.model.events import Kind
from advisor.model.recipe import Scheduler
from advisor.model.source import Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.ignite.engine import Attachable
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Sequence, Value, members

CYCLE = (
    "optimizer, param_name, start_value, end_value, cycle_size, cycle_mult=1.0, start_value_mult=1.0, end_value_mult=1.0, warmup_duration=0, "
    "save_history=False, param_group_index=None"
)
SCHEDULES = {
    "LinearCyclicalScheduler": CYCLE,
    "CosineAnnealingScheduler": CYCLE,
    "PiecewiseLinear": "optimizer, param_name, milestones_values, save_history=False, param_group_index=None",
    "ReduceLROnPlateauScheduler": "optimizer, metric_name, trainer=None, save_history=False, param_group_index=None",
}
OF_OTHERS = {
    "ConcatScheduler": "schedulers, durations, save_history=False",
    "ParamGroupScheduler": "schedulers, names=None, save_history=False",
    "LRScheduler": "lr_scheduler, save_history=False, use_legacy=False",
    "create_lr_scheduler_with_warmup": (
        "lr_scheduler, warmup_start_value, warmup_duration, warmup_end_value=None, save_history=False, output_simulated_values=None"
    ),
}


def _build(call: LibraryCall) -> Value:
    """CosineAnnealingScheduler(optimizer, "lr", start, end, cycle)"""
    kind = call.name.rpartition(".")[2]
    names = signature(SCHEDULES[kind])
    if "param_name" in names and call.reader.plain(call.get("param_name", 1)) not in ("lr", Opaque):
        return call.reader.instance("ignite.object", role="quiet", node=call.node)  # the momentum, say
    given = call.get("optimizer", 0)
    settings = {key: value for key, value in call.settings(names).items() if key not in ("optimizer", "param_name", "trainer", "save_history")}
    optimizer = bound_to(given)
    fact = Scheduler(call.place, kind=f"ignite.{kind}", settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    return _recorded(call, fact)


def _recorded(call: LibraryCall, fact: Scheduler) -> Instance:
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return schedule(call.reader, fact, call.node)


def schedule(reader: Reader, fact: Scheduler, node: ast.AST) -> Instance:
    """A schedule as a handler."""
    what = Attachable(lambda reader, events: stepped(fact, [name for name, _ in events]), lambda *given: None)
    return reader.instance("ignite.schedule", role="scheduler", fact=fact, node=node, data={"attachable": what})


def stepped(fact: Scheduler, events: list[str]) -> None:
    """A schedule that hangs on events, with those inside it."""
    cadences: set[Literal["batch", "epoch"]] = set()
    for name in events:
        if "ITERATION" in name or "BATCH" in name:
            cadences.add("batch")
        elif "EPOCH" in name or "COMPLETED" in name:  # an evaluation's end
            cadences.add("epoch")
    fact.owner = "ignite"
    fact.stepped = cadences.pop() if len(cadences) == 1 else "unknown"
    for child in fact.children:
        stepped(child, events)


def _of_others(call: LibraryCall) -> Value:
    """LRScheduler(torch's), ConcatScheduler([...], durations), create_lr_scheduler_with_warmup(...)"""
    kind = call.name.rpartition(".")[2]
    given = call.get("lr_scheduler", 0) or call.get("schedulers", 0)
    held = members(given) if given is not None else ()
    parts: list[Value] = [part for item in held for part in (item.items if isinstance(item, Sequence) else (item,))]
    facts = [part.fact for part in parts if isinstance(part, Instance) and isinstance(part.fact, Scheduler)]
    if kind == "LRScheduler" and len(facts) == 1:
        return schedule(call.reader, facts[0], call.node)
    settings = {key: value for key, value in call.settings(signature(OF_OTHERS[kind])).items() if key.startswith(("warmup", "durations"))}
    fact = Scheduler(call.place, kind=f"ignite.{kind}", settings=settings, children=tuple(facts))
    fact.optimizer = facts[0].optimizer if facts else None
    fact.optimizer_known = fact.optimizer is not None
    return _recorded(call, fact)


for _name in SCHEDULES:
    table.FUNCTIONS[f"ignite.{_name}"] = _build
for _name in OF_OTHERS:
    table.FUNCTIONS[f"ignite.{_name}"] = _of_others


@table.method("ignite.schedule", "attach")
def attach(call: LibraryCall) -> Value:
    """scheduler.attach(engine, event)"""
    from advisor.read.frameworks.ignite.engine import attach_handler

    engine = call.get("engine", 0)
    if isinstance(engine, Instance) and engine.role == "ignite-engine":
        attach_handler(call, engine, call.get("event", 1) or Constant("ITERATION_COMPLETED"), call.this, [], {})
    return NONE


@table.function("ignite.FastaiLRFinder")
def rate_finder(call: LibraryCall) -> Value:
    """FastaiLRFinder(): runs the engine with rising rates and puts everything back."""
    return call.reader.instance("ignite.FastaiLRFinder", role="ignite-rate-finder", node=call.node)


@table.method("ignite-rate-finder", "attach", "plot", "lr_suggestion", "get_results")
def looked_for(call: LibraryCall) -> Value:
    """What it finds is known when it runs; its own run trains nothing that stays."""
    return call.reader.instance("ignite.object", role="quiet", node=call.node)


@table.method("ignite-rate-finder", "apply_suggested_lr")
def applied(call: LibraryCall) -> Value:
    """Writes the rate that it suggests into the groups of the optimizer."""
    optimizer = bound_to(call.get("optimizer", 0))
    found = Unknown("the rate that a search suggests")
    if optimizer is not None:
        optimizer.lr_writes.append(found)
    call.reader.emit(Kind.LR_WRITE, call.node, optimizer, key="lr", value=found)
    return NONE


@table.method("ignite.schedule", "state_dict", "load_state_dict", "get_param", "simulate_values", "plot_values")
def asked(call: LibraryCall) -> Value:
    """Looks, or goes back."""
    return Opaque("the state of the schedule")


@table.invoke("ignite.schedule")
def called(call: LibraryCall) -> Value:
    """scheduler(engine), inside a handler of the program."""
    fact: Any = call.this.fact
    if isinstance(fact, Scheduler):
        fact.owner = "ignite"
    return NONE
