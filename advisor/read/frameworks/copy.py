"""copy: deepcopy makes new weights, copy of a state shares them."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Dataset
from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python.values import Instance, Mapping, Opaque, Sequence, Union, Value, join, mapping, sequence


@function("copy.deepcopy")
def deepcopy(call: LibraryCall) -> Value:
    """A deep copy."""
    value = call.get("x", 0)
    return _copy(call, value, True, 0) if value is not None else Opaque("a copy")


@function("copy.copy")
def shallow(call: LibraryCall) -> Value:
    """A shallow copy."""
    value = call.get("x", 0)
    return _copy(call, value, False, 0) if value is not None else Opaque("a copy")


def _copy(call: LibraryCall, value: Value, deep: bool, depth: int) -> Value:
    reader = call.reader
    if isinstance(value, Union):
        return join([_copy(call, member, deep, depth) for member in value.members], value.when)
    if isinstance(value, Sequence):
        items = [_copy(call, item, True, depth + 1) if deep and depth < 3 else item for item in value.items]
        return sequence(items, value.kind, value.exact)
    if isinstance(value, Mapping):
        return mapping(
            {key: _copy(call, item, True, depth + 1) if deep and depth < 3 else item for key, item in value.items.items()}, value.exact, value.place
        )
    if isinstance(value, Instance):
        if value.role == "state":
            return reader.instance("state", role="state", node=call.node, data={**value.data, "copied": deep or value.data.get("copied")})
        copied = table.TENSORS.get("copied")
        if value.role == "module" and deep and copied is not None:
            made = copied(reader, value, call.node)
            if isinstance(made, Instance):
                reader.emit(Kind.COPY, call.node, made.fact)
            return made or value
        if value.role in ("optimizer", "scheduler", "loader"):
            return value
        fact, attributes = value.fact, dict(value.attributes)
        if isinstance(fact, Dataset):  # each copy may be cut in its own way
            fact = reader.record(replace(fact, place=call.place, copy_of=fact, rewritten=frozenset(), same_as=None))
            inner = attributes.get("dataset")
            if deep and depth < 3 and isinstance(inner, Instance) and inner.fact is not None and inner.fact is fact.origin:
                inner = attributes["dataset"] = _copy(call, inner, True, depth + 1)
                fact.origin = inner.fact if isinstance(inner, Instance) and isinstance(inner.fact, Dataset) else None
        return reader.instance(value.kind, role=value.role, fact=fact, node=call.node, attributes=attributes, data=dict(value.data), cls=value.cls)
    if isinstance(value, Opaque) and deep:  # what is done to the copy is not done to it
        held = reader.unread_modules.get(id(value))
        return _copy(call, held[1], True, depth) if held is not None else replace(value)
    return value
