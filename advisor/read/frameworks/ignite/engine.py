"""The Engine: what is attached to its events, and the loop that `run` is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from advisor.model.events import Condition, Event, Kind, Loop, walk
from advisor.model.record import dataclass
from advisor.model.source import Known, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import loops, regions, scopes
from advisor.read.python.frames import Frame
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Value,
    mapping,
    members,
    sequence,
    setting,
)

VERSION = "Ignite 0.5"
Action = Callable[[Reader, Instance, str], object]  # what is done on an event of an engine
BUILT_IN = (
    "STARTED", "EPOCH_STARTED", "GET_BATCH_STARTED", "GET_BATCH_COMPLETED", "ITERATION_STARTED", "ITERATION_COMPLETED", "EPOCH_COMPLETED",
    "COMPLETED", "EXCEPTION_RAISED", "DATALOADER_STOP_ITERATION", "TERMINATE", "TERMINATE_SINGLE_EPOCH", "INTERRUPT",
)  # fmt: skip
for _name in ("Engine", "DeterministicEngine"):
    table.CLASS_ROLES[f"ignite.{_name}"] = "ignite-engine"


# --- events ------------------------------------------------------------------------------------------------------


def _event(reader: Reader, names: tuple[str, ...], filtered: str | None = None) -> Instance:
    """One of these events; `filtered`: not each time, in the words of the program."""
    return reader.instance("ignite.Event", role="ignite-event", data={"events": tuple((name, filtered) for name in names)})


for _name in BUILT_IN:
    table.ATTRIBUTES["ignite.Events", _name] = lambda reader, owner, name=_name: _event(reader, (name,))  # type: ignore[misc]


@table.invoke("ignite-event")
def filtered(call: LibraryCall) -> Value:
    """Events.ITERATION_COMPLETED(every=100)"""
    every = call.get("every", 1)
    if isinstance(every, Constant) and every.value == 1 and not every.weak:
        return call.this
    return _event(call.reader, tuple(name for name, _ in call.this.data["events"]), call.reader.text(call.node))


@table.method("ignite-event", "__or__")
def either(call: LibraryCall) -> Value:
    """Events.STARTED | Events.COMPLETED"""
    made = _event(call.reader, ())
    made.data["events"] = tuple(pair for value in (call.this, *call.arguments.positional) for pair in events_of(value))
    return made


def events_of(value: Value | None) -> tuple[tuple[str, str | None], ...]:
    """(name, filter) of the events that a value is: ignite's own, or one of the program's, by its text."""
    found: list[tuple[str, str | None]] = []
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and member.role == "ignite-event":
            found += member.data["events"]
        elif isinstance(member, Constant):
            found.append((str(member.value), None))
        elif isinstance(member, Library):
            found.append((member.name, None))
        else:  # after some batch: the cadence of most events that programs and handlers make
            found.append(("ITERATION_COMPLETED", "an event that is not known"))
    return tuple(found)


@dataclass(slots=True)
class Attachable:
    """What a handler of ignite does: when it is attached, to these events, and when one of them happens to an engine."""

    on_attached: Callable[[Reader, tuple[tuple[str, str | None], ...]], object]
    on_event: Callable[[Reader, Instance, str, list[Value], ast.AST], object]


# --- engines and what is attached --------------------------------------------------------------------------------


def make(call: LibraryCall, step: Callable[[Reader, Instance, Value], Value]) -> Instance:
    """An engine with this step."""
    this = call.reader.instance("ignite.Engine", role="ignite-engine", node=call.node)
    prepare(call.reader, this, step)
    return this


def prepare(reader: Reader, this: Instance, step: Callable[[Reader, Instance, Value], Value]) -> None:
    """Gives an engine its step and its state."""
    counted = {name: Opaque(f"what the engine counts ({name})", "int", low=1) for name in ("epoch", "iteration", "epoch_length", "max_epochs")}
    state = reader.instance("ignite.State", attributes={**counted, "metrics": mapping({}, exact=False), "output": Opaque("what the step returns")})
    reader.store.write(this.attributes, "state", state)
    reader.store.write(this.data, "step", step)
    reader.store.write(this.data, "handlers", ())
    reader.store.write(this.data, "metrics", ())


@table.function("ignite.Engine", "ignite.DeterministicEngine")
def engine(call: LibraryCall) -> Value:
    """Engine(process_function)"""
    this = call.reader.instance(call.name, role="ignite-engine", node=call.node)
    _init(call, this)
    return this


@table.invoke("ignite-engine")
def step_alone(call: LibraryCall) -> Value:
    """A step that ignite made, as the step of an engine."""
    given = call.arguments.positional
    step = call.this.data.get("step")
    held: Value = step(call.reader, call.this, given[-1]) if step is not None and given else Opaque("what the step returns")
    return held


@table.method("ignite-engine", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(process_function) of an engine class of the project."""
    _init(call, call.this)
    return NONE


def _init(call: LibraryCall, this: Instance) -> None:
    function, node = call.get("process_function", 0) or Opaque("the step of an engine"), call.node
    stands = call.reader.frame.module

    def step(reader: Reader, engine: Instance, batch: Value) -> Value:
        with standing(reader, stands):
            _widen(reader, function)
            return reader.call(function, Arguments([engine, batch]), node)

    prepare(call.reader, this, step)


def _widen(reader: Reader, function: Value) -> None:
    """What a function that runs again and again counts outside of itself is not known by its first turn."""
    for member in members(function):
        inner = member.function if isinstance(member, Bound) else member
        if not isinstance(inner, Function):
            continue
        found, outside = scopes.assigned(inner.node), scopes.declared(inner.node, inner.module.lines)
        places = [inner.module.namespace]
        frame = inner.closure
        while frame is not None:
            places.append(frame.names)
            frame = frame.parent
        held = [(home, name) for name in outside.globals | outside.nonlocals for home in places if name in home]
        if isinstance(member, Bound) and isinstance(member.receiver, Instance):
            own = member.receiver.attributes
            held += [(own, name) for name in found.attributes if name in own]
        for home, name in held:
            changed = loops.widened(home[name])
            if changed is not home[name]:
                reader.store.write(home, name, changed)


@contextmanager
def standing(reader: Reader, source: Any) -> Iterator[None]:
    """What happens meanwhile is written in this file."""
    outer = reader.frame
    reader.frame = Frame(source, source.namespace)
    try:
        yield
    finally:
        reader.frame = outer


def attach(reader: Reader, this: Instance, event: Value | None, action: Action, node: ast.AST) -> None:
    """Has something done whenever an event of the engine happens."""
    made = reader.instance("ignite.Attached", node=node, data={"events": events_of(event), "action": action})
    reader.store.write(this.data, "handlers", (*this.data.get("handlers", ()), made))


@table.method("ignite-engine", "add_event_handler")
def add_event_handler(call: LibraryCall) -> Value:
    """add_event_handler(event, handler, *args, **kwargs)"""
    handler = call.get("handler", 1) or Opaque("a handler")
    named = {key: value for key, value in call.arguments.keywords.items() if key not in ("event_name", "handler", "<given>")}
    given = call.arguments.keywords.get("<given>")
    rest = list(given.items) if isinstance(given, Sequence) else call.arguments.positional[2:]
    attach_handler(call, call.this, call.get("event_name", 0), handler, rest, named)
    return call.reader.instance("ignite.RemovableEventHandle", role="quiet", node=call.node)


@table.method("ignite-engine", "on")
def on(call: LibraryCall) -> Value:
    """@engine.on(event)"""
    positional = call.arguments.positional[:1]
    named = {**call.arguments.keywords, "<given>": sequence(call.arguments.positional[1:])}
    return Partial(Bound(call.this, "add_event_handler"), positional, named)


def attach_handler(call: LibraryCall, this: Instance, event: Value | None, handler: Value, rest: list[Value], named: dict[str, Value]) -> None:
    """Attaches a function, or an object that ignite or the program can call."""
    node, stands = call.node, call.reader.frame.module

    def act(reader: Reader, engine: Instance, name: str) -> None:
        with standing(reader, stands):
            for one in members(handler):
                own = one.data.get("attachable") if isinstance(one, Instance) else None
                if own is not None:
                    own.on_event(reader, engine, name, [*rest, *named.values()], node)
                elif not isinstance(one, Constant):
                    _widen(reader, one)
                    reader.call(one, Arguments([engine, *rest] if _takes_engine(one, rest, named) else list(rest), dict(named)), node)

    attach(call.reader, this, event, act, node)
    for one in members(handler):
        if isinstance(one, Instance) and "attachable" in one.data:
            one.data["attachable"].on_attached(call.reader, events_of(event))


def _takes_engine(handler: Value, rest: list[Value], named: dict[str, Value]) -> bool:
    """A function whose signature has no room for the engine is called without it."""
    function = handler.function if isinstance(handler, Bound) else handler
    if not isinstance(function, Function):
        return not isinstance(handler, Bound)  # ignite looks at signatures: scheduler.step takes no engine for its epoch in practice
    spec = function.node.args
    room = len(spec.posonlyargs) + len(spec.args) - (1 if isinstance(handler, Bound) else 0)
    return spec.vararg is not None or room > len(rest) + sum(any(argument.arg == key for argument in spec.args) for key in named)


def fire(reader: Reader, this: Instance, name: str) -> None:
    """Everything that is attached to an event, in the order it was attached; what a filter lets through now and then stands in a branch."""
    for entry in this.data.get("handlers", ()):
        for member in members(entry):
            if not isinstance(member, Instance):
                continue
            for event, now_and_then in member.data["events"]:
                if event == name:
                    _act(reader, this, name, member, now_and_then)


def _act(reader: Reader, this: Instance, name: str, entry: Instance, now_and_then: str | None) -> None:
    firing: list[tuple[str, str | None]] = _now(reader)["firing"]
    firing.append((name, now_and_then))
    try:
        _filtered(reader, this, name, entry, now_and_then)
    finally:
        firing.pop()


def _filtered(reader: Reader, this: Instance, name: str, entry: Instance, now_and_then: str | None) -> None:
    if now_and_then is None:
        entry.data["action"](reader, this, name)
        return
    condition = Condition(now_and_then, f"ignite:{now_and_then}", operator="truth")
    arms: list[tuple[str, bool | None, Any]] = [
        ("unknown", True, lambda: (None, entry.data["action"](reader, this, name))),
        ("else", False, lambda: (None, None)),
    ]
    reader.branch(entry.place, condition, arms)  # type: ignore[arg-type]


@table.method("ignite-engine", "fire_event")
def fire_event(call: LibraryCall) -> Value:
    """engine.fire_event(event): the program's own event happens here."""
    for name, _ in events_of(call.get("event_name", 0)):
        fire(call.reader, call.this, name)
    return NONE


@table.method(
    "ignite-engine", "register_events", "remove_event_handler", "terminate", "terminate_epoch", "interrupt", "set_data", "load_state_dict", "debug"
)
def other(call: LibraryCall) -> Value:
    """Ends a run, or prepares one."""
    return NONE


@table.method("ignite-engine", "has_event_handler", "state_dict", "should_interrupt", "should_terminate", "logger")
def asked(call: LibraryCall) -> Value:
    """Looks at the engine."""
    return Opaque("a state of the engine")


# --- run ---------------------------------------------------------------------------------------------------------


@table.method("ignite-engine", "run")
def run(call: LibraryCall) -> Value:
    """run(data, max_epochs, epoch_length): epochs of batches, with every handler where its event stands."""
    reader, this, node, place = call.reader, call.this, call.node, call.place
    state, running = this.attributes.get("state"), _now(reader)["engines"]
    if "step" not in this.data or not isinstance(state, Instance) or this in running:
        return state or NONE
    epochs = call.setting("max_epochs", 1, None, VERSION)
    if isinstance(epochs, Known) and epochs.value is None:
        epochs = Known(1, default=VERSION)
    data = call.get("data", 0)
    length = setting(value) if (value := call.get("epoch_length")) is not None and not _is_none(value) else None
    before = len(reader.block)
    running.append(this)
    try:
        fire(reader, this, "STARTED")

        def epoch() -> None:
            fire(reader, this, "EPOCH_STARTED")
            turns = reader.iterate(data, node) if data is not None and not _is_none(data) else table.Iteration(NONE, what="range")
            what = turns.what if turns.what in ("loader", "range") or turns.over is not None else "data"
            loops.owned(reader, Loop(place, [], turns.over, length or turns.count, what), lambda: _iteration(reader, this, state, turns.item))  # type: ignore[arg-type]
            _measure(reader, this, state)
            fire(reader, this, "EPOCH_COMPLETED")

        if value_of(epochs) == 1:
            epoch()
        else:
            loops.owned(reader, Loop(place, [], None, epochs, "range"), epoch)
        fire(reader, this, "COMPLETED")
    finally:
        running.remove(this)
    if any(isinstance(one, Event) and one.kind in (Kind.BACKWARD, Kind.OPTIMIZER_STEP) for one, _ in walk(reader.block[before:])):
        reader.recipe.framework = "ignite"
        reader.leaves += 1
    return state


def _now(reader: Reader) -> dict[str, Any]:
    """The engines that run at this moment, one inside another, and the events that are happening."""
    return reader.singleton("ignite.now", lambda: reader.instance("ignite.now", data={"engines": [], "firing": []})).data


def once_an_epoch(reader: Reader) -> bool:
    """True when what happens now happens in every epoch of the outermost engine, at the end of another engine's run."""
    firing = _now(reader)["firing"]
    outer = firing[0] if len(firing) > 1 else ("", None)
    return outer in (("EPOCH_COMPLETED", None), ("EPOCH_STARTED", None)) and not any(label == "unknown" for _, label in reader.conditions)


def _is_none(value: Value) -> bool:
    return isinstance(value, Constant) and value.value is None


def _iteration(reader: Reader, this: Instance, state: Instance, batch: Value) -> None:
    """One batch: the step, and what is attached around it."""
    for name in ("GET_BATCH_STARTED", "GET_BATCH_COMPLETED"):
        fire(reader, this, name)
    reader.store.write(state.attributes, "batch", batch)
    fire(reader, this, "ITERATION_STARTED")
    output = this.data["step"](reader, this, batch)
    reader.store.write(state.attributes, "output", output)
    _each_metric(reader, this)
    fire(reader, this, "ITERATION_COMPLETED")


def _each_metric(reader: Reader, this: Instance) -> None:
    """Has every metric that is attached look at the output of the step, without gradients."""
    for entry in this.data.get("metrics", ()):
        for member in members(entry):
            if isinstance(member, Instance):

                def look(metric: Any = member.data["metric"]) -> str | None:
                    metric.data["update"](reader, this)
                    return None

                regions.in_region(reader, member.place, "no_grad", {}, look)


def _measure(reader: Reader, this: Instance, state: Instance) -> None:
    """The values of the metrics after an epoch."""
    held = state.attributes.get("metrics")
    measured = {
        member.data["name"]: member.data["metric"].data["value"](reader)
        for entry in this.data.get("metrics", ())
        for member in members(entry)
        if isinstance(member, Instance)
    }
    if measured:
        known = held.items if isinstance(held, Mapping) else {}
        reader.store.write(state.attributes, "metrics", mapping({**known, **measured}, exact=False))
