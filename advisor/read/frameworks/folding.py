"""How library functions act on several possible values: distribution over alternatives, folding of constants, plain data as values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Link, Place
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import (
    Constant,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
    join_flows,
    mapping,
    members,
    sequence,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

COMBINATIONS = 8  # alternatives of several arguments that are tried
LONGEST_TEXT = 10_000
LARGEST_POWER, LARGEST_BASE = 512, 1e6
MOST_DIGITS = 400


def power(base: Any, exponent: Any, *modulus: Any) -> Any:
    """pow(), where the result is not too large to be computed."""
    if abs(exponent) > LARGEST_POWER or abs(base) > LARGEST_BASE:
        raise OverflowError
    return pow(base, exponent, *modulus)


def rounded(number: Any, *digits: Any) -> Any:
    """round(), whose digits make a power of ten."""
    if any(abs(count) > MOST_DIGITS for count in digits if count is not None):
        raise OverflowError
    return round(number, *digits)


def over(value: Value, one: Callable[[Value], Value]) -> Value:
    """What a function gives for each alternative of a value, joined."""
    if isinstance(value, Union):
        return join([one(member) for member in value.members], value.when)
    return one(value)


def fold(call: LibraryCall, values: Iterable[Value], compute: Callable[..., Any], kind: str | None = None) -> Value:
    """A pure function of constants, computed; of anything else, unknown of type `kind`."""
    given = list(values)
    if any(isinstance(value, Union) for value in given):
        ways = list(product(*(members(value) for value in given)))
        results = [_fold(call, way, compute, kind) for way in ways[:COMBINATIONS]]
        if len(ways) > COMBINATIONS:
            results.append(Opaque("one of many values", kind))
        return join(results)
    return _fold(call, tuple(given), compute, kind)


def _fold(call: LibraryCall, values: tuple[Value, ...], compute: Callable[..., Any], kind: str | None) -> Value:
    if all(isinstance(value, Constant) for value in values):
        constants = [value for value in values if isinstance(value, Constant)]
        try:
            result = compute(*(constant.value for constant in constants))
        except Exception:
            return Opaque(f"`{call.reader.text(call.node)}` cannot be computed", kind)
        return as_value(result, origins(constants), any(constant.weak for constant in constants), call.place)
    return unknown_of(values, kind, call)


def unknown_of(values: Iterable[Value], kind: str | None, call: LibraryCall) -> Value:
    """The unknown result of a pure function: it keeps the reason of its first unknown argument and what numbers measure."""
    unknown = next((value for value in values if isinstance(value, Opaque)), None)
    flow = next((flow for value in values if (flow := flow_of(value)) is not None), None)
    why = unknown.why if unknown is not None else f"`{call.reader.text(call.node)}`"[:120]
    passes = unknown.passes if unknown is not None and call.name == "builtins.round" else None
    return Opaque(why, kind, flow=cut(flow, call) if flow is not None else None, passes=passes)


def flow_of(value: Value | None) -> Flow | None:
    """What a tensor, or a number taken from one, is known to be."""
    return value.flow if isinstance(value, (Tensor, Opaque)) else None


def cut(flow: Flow, call: LibraryCall) -> Flow:
    """The same measurement as a plain number: its graph ends here."""
    if flow.graph in ("cut", "none"):
        return flow
    short = call.name.rpartition(".")[2]
    return replace(flow, graph="cut", cut_by=f"{short}()", cut_at=call.place)


def joined_flow(values: Iterable[Value], depth: int = 0) -> Flow | None:
    """What all tensors and measured numbers among values have in common; None when there is none."""
    flows: list[Flow] = []
    for value in values:
        if isinstance(value, (Sequence, Mapping)) and depth < 3:
            inner = joined_flow(value.items if isinstance(value, Sequence) else value.items.values(), depth + 1)
        elif isinstance(value, Union):
            inner = joined_flow(value.members, depth + 1)
        else:
            inner = flow_of(value)
        if inner is not None:
            flows.append(inner)
    return join_flows(flows) if flows else None


def origins(values: Iterable[Constant]) -> tuple[Link, ...]:
    """The provenance of a value computed from several."""
    return tuple(dict.fromkeys(link for value in values for link in value.origin))[:6]


def as_value(data: Any, origin: tuple[Link, ...] = (), weak: bool = False, place: Place | None = None) -> Value:
    """Plain Python data as a value; lists and dicts become sequences and mappings."""
    if isinstance(data, (list, tuple, set, frozenset)):
        kind = "list" if isinstance(data, list) else "tuple" if isinstance(data, tuple) else "set"
        return sequence([as_value(item, origin, weak, place) for item in data], kind)
    if isinstance(data, dict):
        return mapping({key: as_value(item, origin, weak, place) for key, item in data.items()}, place=place)
    if isinstance(data, (str, bytes)) and len(data) > LONGEST_TEXT:
        return Opaque("a very long text", "str")
    if data is None or data is Ellipsis or isinstance(data, (bool, int, float, str, bytes)):
        return Constant(data, origin, weak, place)
    return Opaque("a computed value")


def weaken(value: Value, origin: tuple[Link, ...] = (), place: Place | None = None) -> Value:
    """The value as a default that the user may override; `origin` names the option when the value has no provenance yet."""
    if isinstance(value, Constant):
        return replace(value, weak=True, origin=value.origin or origin, place=value.place or place)
    if isinstance(value, Union):
        return Union(tuple(weaken(member, origin, place) for member in value.members), value.when)
    if isinstance(value, Sequence) and value.kind != "range":
        return Sequence(value.kind, {**value.state, "items": tuple(weaken(item, origin, place) for item in value.items)})
    if isinstance(value, Mapping):
        return Mapping({**value.state, "items": {key: weaken(item, origin, place) for key, item in value.items.items()}}, value.place)
    return value


def text_of(value: Value | None) -> str | None:
    """The text of a constant, or of a path; of the default path where there are several."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Instance) and value.kind == "pathlib.Path":
        value = value.data.get("path")
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else None


def number_of(value: Value | None) -> float | None:
    """A known number."""
    if isinstance(value, Constant) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        return value.value
    return None


def is_weak(value: Value | None) -> bool:
    """True when the value is a default that the user may override."""
    if isinstance(value, Union):
        return True
    if isinstance(value, Instance) and value.kind == "pathlib.Path":
        return is_weak(value.data.get("path"))
    return isinstance(value, Constant) and value.weak


def is_none(value: Value | None) -> bool:
    """True for None, or an argument that is not given."""
    return value is None or (isinstance(value, Constant) and value.value is None)


def harmless(call: LibraryCall) -> Value | None:
    """A call that does nothing to what it is given: logging, plotting, reports. Gives an unknown value."""
    return Opaque(f"result of `{call.name}`"[:120])


def passed_through(call: LibraryCall) -> Value | None:
    """A call that gives its first argument back."""
    return call.arguments.positional[0] if call.arguments.positional else next(iter(call.arguments.keywords.values()), None)


def mapping_of(reader: Reader, value: Value | None) -> Mapping | None:
    """A value as a mapping: a dict, an object whose attributes are its content, or the default path's of several."""
    if isinstance(value, Union):
        return next((found for member in value.members if (found := mapping_of(reader, member)) is not None), None)
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Instance) and isinstance(value.data.get("mapping"), Mapping):
        held: Mapping = value.data["mapping"]
        return held
    return None
