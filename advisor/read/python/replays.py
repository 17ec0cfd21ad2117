"""Calls that are not entered, for that was done often enough: whether what the last one told may be told of them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.model.events import Branch, Event, Exit, Kind, Node
from advisor.model.record import replace
from advisor.read.python.values import (
    Arguments,
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def of_another(entered: Value | None, receiver: Value | None) -> bool:
    """True where the call that is replayed was a method of another object."""
    return isinstance(entered, Instance) and isinstance(receiver, Instance) and entered is not receiver


def makes(value: Value, receiver: Value | None) -> bool:
    """True for a thing, or what makes things: what one registry holds, another does not. Layers are all alike."""
    if isinstance(receiver, Instance) and receiver.role == "module":
        return False
    return any(makes(member, receiver) for member in value.members) if isinstance(value, Union) else isinstance(value, (Instance, Function, Class))


def moves_weights(value: Value) -> bool:
    """True for what moves weights, or the rate that they are moved at."""
    if isinstance(value, Union):
        return any(map(moves_weights, value.members))
    return isinstance(value, Instance) and value.role in ("optimizer", "scheduler")


def others_moving(function: Function, entered: Arguments, arguments: Arguments) -> list[Value]:
    """The optimizers and schedulers of a call that the one that is replayed was not given in their place: its steps were those of others."""
    now = {name: value for name, value in _by_name(function, arguments).items() if moves_weights(value)}
    if not now:
        return []
    before = _by_name(function, entered)
    return [value for name, value in now.items() if name in before and moves_weights(before[name]) and not _parts(value) <= _parts(before[name])]


def _parts(value: Value) -> set[int]:
    """What a value may be, each by its identity."""
    return {id(member) for member in (value.members if isinstance(value, Union) else (value,))}


def loads(value: Value) -> bool:
    """True for a loader, or a tuple with one."""
    if isinstance(value, (Union, Sequence)):
        return any(map(loads, value.members if isinstance(value, Union) else value.items))
    return isinstance(value, Instance) and value.role == "loader"


def of_these_data(value: Value, entered: Arguments, arguments: Arguments) -> Value:
    """What a call gives that is replayed: a tensor comes from the data that this one is given, not from those of the one that was entered."""
    before, now = _data(entered), _data(arguments)
    if not isinstance(value, Tensor) or len(before) != 1 or len(now) != 1 or before == now:
        return value
    (old,), (new,) = before, now
    flow = value.flow
    if flow.source is not old and old not in flow.sources:
        return value
    sources = tuple(new if source is old else source for source in flow.sources)
    return Tensor(replace(flow, source=new if flow.source is old else flow.source, sources=sources), batch=value.batch)


def _data(arguments: Arguments) -> set[Any]:
    """Where the tensors of a call come from."""
    flows = [value.flow for value in (*arguments.positional, *arguments.keywords.values()) if isinstance(value, Tensor)]
    return {source for flow in flows for source in (flow.source, *flow.sources) if source is not None}


def asks_another(entered: Arguments, arguments: Arguments) -> bool:
    """True where a call is given other values or objects than the one that is replayed: `loader_of("val")`."""
    before, now = (list(given.positional) + [given.keywords[name] for name in sorted(given.keywords)] for given in (entered, arguments))
    return len(before) != len(now) or any(_differ(one, other) for one, other in zip(before, now))


def _differ(one: Value, other: Value) -> bool:
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value != other.value)
    return one is not other and (isinstance(one, (Constant, Instance)) or isinstance(other, (Constant, Instance)))


def unseen(function: Function, entered: Arguments, arguments: Arguments) -> list[Value]:
    """What is given in the place of None: what the function does with it was not read."""
    if not any(isinstance(value, (Instance, Union)) for value in (*arguments.positional, *arguments.keywords.values())):
        return []
    before, now = _by_name(function, entered), _by_name(function, arguments)
    return [value for name, value in now.items() if isinstance(value, (Instance, Union)) and getattr(before.get(name), "value", name) is None]


def size(reader: Reader, nodes: list[Node]) -> tuple[int, bool]:
    """How many nodes a piece of the tree has, those of replayed calls counted each time, and whether an optimizer steps there."""
    known = reader.sizes.get(id(nodes))
    if known is not None and known[0] is nodes:
        return known[1]
    count, trains = len(nodes), False
    for node in nodes:
        if isinstance(node, Event):
            trains = trains or node.kind is Kind.OPTIMIZER_STEP
        elif not isinstance(node, Exit):
            for body in [arm.body for arm in node.arms] if isinstance(node, Branch) else [node.body]:
                more, also = size(reader, body)
                count, trains = count + more, trains or also
    reader.sizes[id(nodes)] = (nodes, (count, trains))
    return count, trains


def handed_back(value: Value, function: Function, entered: Arguments | None, arguments: Arguments, elsewhere: bool = False) -> Value:
    """What a replayed call gives: the class that is handed in comes back itself.

    What was made of another class or function is not known, nor are a number or a text that were asked for by another word or of another object
    (`elsewhere`), or what is made of an object in place of a tensor.
    """
    if isinstance(value, Union):
        return join([handed_back(member, function, entered, arguments, elsewhere) for member in value.members])
    if isinstance(value, Constant) and value.value is not None and (elsewhere or (entered is not None and asks_another(entered, arguments))):
        return Opaque(f"`{function.name}` is called too often for every call to be followed")
    if not isinstance(value, (Class, Function, Instance, Bound, Partial, Tensor)):
        return value
    now = _by_name(function, arguments)
    before = _by_name(function, entered) if entered is not None else {}
    if isinstance(value, Tensor):  # of a model it is a model, as in `move(batch)`, `move(model)`
        other = any(isinstance(old, Tensor) and isinstance(now.get(name), Instance) for name, old in before.items())
        return Opaque(f"`{function.name}` is called too often for every call to be followed") if other else value
    for name, old in before.items():
        if value is old and type(now.get(name, old)) is type(old):
            return now.get(name, old)
    changed = [one for name in {**before, **now} if before.get(name) is not now.get(name) for one in (before.get(name), now.get(name))]
    if isinstance(value, Instance):
        other = any(one is value or (one is value.cls and one is not None) for one in changed)
        other = other or (value.role is None and entered is not None and bool(unseen(function, entered, arguments)))
    else:
        other = any(isinstance(one, (Class, Function)) for one in changed)
    return Opaque(f"`{function.name}` is called too often for every call to be followed") if other else value


def _by_name(function: Function, arguments: Arguments) -> dict[str, Value]:
    """What the parameters of a function hold in a call."""
    spec = function.node.args
    names = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
    return {**function.defaults, **dict(zip(names, arguments.positional)), **arguments.keywords}
