"""Built-in functions of numbers and texts."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from advisor.model.recipe import Dataset, DebuggerStop, Flow
from advisor.model.record import replace
from advisor.model.source import ON_DISK, Known, Passes
from advisor.read.frameworks import cuts
from advisor.read.frameworks.folding import cut, flow_of, fold, joined_flow, over, power, rounded, unknown_of
from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python import counted, operators, telling
from advisor.read.python.checkpoints import part_of
from advisor.read.python.subscripts import SAMPLES
from advisor.read.python.values import (
    NONE,
    Arguments,
    Constant,
    Instance,
    Library,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    members,
)

_PURE: dict[str, tuple[Callable[..., Any], str | None]] = {
    "round": (rounded, "float"),
    "abs": (abs, None),
    "pow": (power, None),
    "divmod": (divmod, None),
    "chr": (chr, "str"),
    "ord": (ord, "int"),
    "hex": (hex, "str"),
    "bin": (bin, "str"),
    "oct": (oct, "str"),
    "repr": (repr, "str"),
    "ascii": (ascii, "str"),
    "format": (lambda value, spec="": None if operators.WIDE.search(spec) else format(value, spec), "str"),
    "hash": (hash, "int"),
    "complex": (lambda *parts: None, None),
}


@function(*(f"builtins.{name}" for name in _PURE))
def pure(call: LibraryCall) -> Value | None:
    """A pure function of constants."""
    compute, kind = _PURE[call.name.rpartition(".")[2]]
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    if given and isinstance(given[0], Tensor) and call.name == "builtins.abs":
        return Tensor(given[0].flow)
    if call.name in ("builtins.repr", "builtins.ascii", "builtins.format", "builtins.hash"):
        return fold(call, given, compute, kind) if all(isinstance(m, Constant) for g in given for m in members(g)) else Opaque("a text", kind)
    return fold(call, given, compute, kind)


def _number(call: LibraryCall, kind: type) -> Value:
    value = call.get("x", 0)
    if value is None:
        return Constant(kind())
    return over(value, lambda one: _one_number(call, kind, one))


def _one_number(call: LibraryCall, kind: type, value: Value) -> Value:
    if isinstance(value, Constant):
        if value.weak and value.origin:
            for option in operators.options_of(call.reader, value):
                option.as_text = False  # the program makes a number of it itself
            for option in counted.options(call.reader, value) if kind is int else ():
                option.whole = True
        if len(call.arguments.positional) > 1:  # int(text, base)
            return fold(call, [value, *call.arguments.positional[1:]], kind, kind.__name__)
        try:
            return Constant(kind(value.value), value.origin, value.weak, value.place, value.default)
        except Exception:
            return Opaque(f"`{call.reader.text(call.node)}` cannot be computed", kind.__name__)
    if isinstance(value, Opaque):
        flow = cut(value.flow, call) if value.flow is not None else None
        return Opaque(value.why, kind.__name__, value.low, value.high, flow, value.replicas, value.passes, part=value.part, filled=value.filled)
    if isinstance(value, (Tensor, Weights)):
        flow = value.flow if isinstance(value, Tensor) else Flow()
        return Opaque("a number taken from a tensor", kind.__name__, flow=cut(flow, call))
    return Opaque(f"`{call.reader.text(call.node)}`"[:120], kind.__name__, part=part_of(value))


@function("builtins.int")
def to_int(call: LibraryCall) -> Value | None:
    """int(x)"""
    return _number(call, int)


@function("builtins.float")
def to_float(call: LibraryCall) -> Value | None:
    """float(x)"""
    return _number(call, float)


@function("builtins.bool")
def to_bool(call: LibraryCall) -> Value | None:
    """bool(x)"""
    value = call.get("x", 0)
    if value is None:
        return Constant(False)
    truth, strong = call.reader.truth(value), call.reader.strong_truth(value)
    if truth is None:
        return Opaque(value.why if isinstance(value, Opaque) else "not known", "bool", flow=flow_of(value))
    origin, place = (value.origin, value.place) if isinstance(value, Constant) else ((), None)
    return Constant(truth, origin, strong is None, place)


@function("builtins.str")
def to_text(call: LibraryCall) -> Value | None:
    """str(x)"""
    value = call.get("object", 0)
    if value is None:
        return Constant("")
    return over(value, lambda one: _one_text(call, one))


def _one_text(call: LibraryCall, value: Value) -> Value:
    if isinstance(value, Instance):
        if value.kind == "pathlib.Path":
            held = value.data.get("path")
            return held if isinstance(held, Value) else Opaque("a path", "str")
        if value.cls is not None:
            for name in ("__str__", "__repr__"):
                from advisor.read.python.classes import class_lookup

                if class_lookup(call.reader, value.cls, name) is not None:
                    return Opaque(f"the text of {value.cls.node.name}", "str")
        return Opaque("a text", "str")
    if isinstance(value, Constant):
        if isinstance(value.value, bytes):
            return Opaque("a decoded text", "str")
        return Constant(str(value.value), value.origin, value.weak, value.place)
    return Opaque(value.why if isinstance(value, Opaque) else "a text", "str", alike=isinstance(value, Opaque) and value.alike)


@function("builtins.bytes", "builtins.bytearray", "builtins.memoryview")
def to_bytes(call: LibraryCall) -> Value | None:
    """bytes(x)"""
    return Opaque("bytes", "bytes")


@function("builtins.len")
def length(call: LibraryCall) -> Value | None:
    """len(x)"""
    value = call.get("obj", 0)
    return over(value, lambda one: _counted(call, one)) if value is not None else Opaque("len of nothing", "int")


def _counted(call: LibraryCall, value: Value) -> Value:
    """A length; that of a data set says whose samples it counts."""
    length = length_of(call, value)
    if not isinstance(length, Opaque):
        return length
    if isinstance(value, Tensor) and value.batch == 0:
        return replace(length, why=SAMPLES)
    if isinstance(value, Instance) and isinstance(value.fact, Dataset):
        return replace(length, passes=Passes(value.fact, Known(1)))
    return replace(length, passes=cuts.rows_of(value)) if length.passes is None else length


def length_of(call: LibraryCall, value: Value) -> Value:
    """How many items a value has."""
    reader = call.reader
    if isinstance(value, Constant) and isinstance(value.value, (str, bytes)):
        return Constant(len(value.value), value.origin, value.weak, call.place)
    if isinstance(value, Sequence):
        iteration = value.state.get("iteration")
        count = getattr(iteration, "count", None)
        if count is not None and hasattr(count, "value"):
            return Constant(count.value, count.origin, count.weak, call.place)
        if value.exact:
            return Constant(len(value.items), place=call.place)
        return Opaque("the length of a list that is not fully known", "int", low=0)
    if isinstance(value, Mapping):
        return Constant(len(value.items), place=call.place) if value.exact else Opaque("the size of a dict that is not fully known", "int", low=0)
    if isinstance(value, Instance):
        from advisor.read.python.classes import class_lookup
        from advisor.read.python.functions import call_function
        from advisor.read.python.values import Function

        if value.cls is not None:
            method = class_lookup(reader, value.cls, "__len__")
            if isinstance(method, Function):
                return call_function(reader, method, Arguments([value]), call.node, value)
        from advisor.read.frameworks.table import find_method

        handler = find_method(value, "__len__")
        if handler is not None:
            result = handler(LibraryCall(reader, f"{value.kind}.__len__", Arguments(), call.node, value))
            if result is not None:
                return result
        items = value.data.get("items")
        if value.role == "module" and isinstance(items, (tuple, list, dict)):
            return Constant(len(items), place=call.place)
        what = {"loader": "the number of batches", "dataset": "the number of samples"}.get(value.role or "", f"the length of {value.kind}")
        return Opaque(what, "int", low=0)
    if isinstance(value, Tensor):
        if value.flow.activation == "hits" and not value.flow.modules:
            return Opaque("how many samples there are", "int", low=0, flow=Flow(graph="none", counted="proportional", per=value.flow.per or "one"))
        return Opaque("the size of a batch" if value.flow.source is not None else "the size of a tensor", "int", low=0)
    return Opaque(value.why if isinstance(value, Opaque) else "a length", "int", low=0)


@function("builtins.sum")
def total(call: LibraryCall) -> Value | None:
    """sum(x, start): adds as `+` does, so that summed losses stay losses."""
    value = call.get("iterable", 0)
    if value is None:
        return Opaque("sum of nothing")
    return over(value, lambda one: _uncounted(call, _sum(call, one)))


def _uncounted(call: LibraryCall, value: Value) -> Value:
    """A total, which no longer tells one class from another, and of scores is no score."""
    flow = flow_of(value)
    if flow is not None and flow.ratio and isinstance(value, (Opaque, Tensor)):
        call.reader.recipe.averages.append((call.place, flow))
        return replace(value, flow=replace(flow, ratio=False))
    if flow is None or flow.counted is None or not isinstance(value, (Opaque, Tensor)):
        return value
    return replace(value, flow=replace(flow, counted=None, per=None))


def _sum(call: LibraryCall, value: Value) -> Value:
    reader = call.reader
    if isinstance(value, Tensor):
        return Tensor(value.flow)
    if isinstance(value, Weights):
        return Opaque("a sum over parameters", "tensor")
    iteration = reader.iterate(value, call.node)
    items = list(iteration.items) if iteration.items is not None else None
    start = call.get("start", 1)
    if items is None:
        item = iteration.item
        if isinstance(item, Tensor):
            return Tensor(item.flow)
        flow = flow_of(item)
        if flow is not None and isinstance(value, Sequence) and value.state.get("running"):
            flow = replace(flow, aggregate="running")
        kind = item.type if isinstance(item, Opaque) else type(item.value).__name__ if isinstance(item, Constant) else None
        return Opaque("a sum of what is not fully known", "int" if kind == "bool" else kind, flow=flow)
    result: Value = start if start is not None else (Constant(0, place=call.place) if not items else items.pop(0))
    for item in items:
        result = operators.binary(reader, ast.Add(), result, item, call.node)
    return result


@function("builtins.min", "builtins.max")
def extreme(call: LibraryCall) -> Value | None:
    """min and max. A minimum of a known and an unknown number is a bound: the candidate stands first, then unknown."""
    reader, name = call.reader, call.name.rpartition(".")[2]
    given = list(call.arguments.positional)
    if len(given) == 1:
        single = given[0]
        items = reader.items(single) if not isinstance(single, Union) else None
        if items is None:
            iteration = reader.iterate(single, call.node)
            item = iteration.item
            if isinstance(item, Tensor):
                return Opaque(f"the {name}imum of measurements", "float", flow=item.flow)
            return Opaque(f"the {name}imum of what is not fully known", item.type if isinstance(item, Opaque) else None, flow=joined_flow([item]))
        given = items
    if "key" in call.arguments.keywords or not given:
        default = call.get("default")
        return default if not given and default is not None else join(given) if given else Opaque(f"{name} of nothing")
    if all(isinstance(member, Constant) for value in given for member in members(value)):
        return fold(call, given, _chooser(name), None)
    heads: list[Value] = [members(value)[0] for value in given]
    if any(isinstance(value, Union) for value in given) and all(isinstance(head, Constant) for head in heads):
        chosen = fold(call, heads, _chooser(name), None)
        return join([chosen, Opaque(f"a {name}imum of what a flag changes")]) if chosen is not None else None
    tensors = [value for value in given if isinstance(value, Tensor)]
    flow = joined_flow(given)
    if name == "min" and not tensors and flow is None:
        bound = _bound(given)
        if bound is not None:
            return bound
    if tensors and len(tensors) == len(given):
        return join(given)
    why = next((value.why for value in given if isinstance(value, Opaque)), f"a {name}imum")
    known_numbers = [v.value for v in given if isinstance(v, Constant) and not v.weak and isinstance(v.value, (int, float))]
    low = float(max(known_numbers)) if name == "max" and known_numbers else None
    part = next((part for value in given if (part := part_of(value)) is not None), None)
    kinds = {v.type if isinstance(v, Opaque) else type(v.value).__name__ if isinstance(v, Constant) else None for v in given}
    return Opaque(why, kinds.pop() if len(kinds) == 1 else "float" if kinds <= {"int", "float"} else None, low=low, flow=flow, part=part)


def _bound(given: list[Value]) -> Value | None:
    """The smallest known candidate, then unknown; None when nothing is known."""
    heads = [members(value)[0] for value in given]
    known = [head for head in heads if isinstance(head, Constant)]
    rest = [member for value in given for member in members(value) if not isinstance(member, Constant)]
    if not known or not rest or not all(isinstance(member, Opaque) for member in rest):
        return None
    smallest = min(known, key=lambda constant: constant.value) if _comparable(known) else known[0]
    why = next(member.why for member in rest if isinstance(member, Opaque))
    high = float(smallest.value) if isinstance(smallest.value, (int, float)) and not smallest.weak else None
    return Union((smallest, Opaque(why, type(smallest.value).__name__, high=high)))


def _comparable(known: list[Constant]) -> bool:
    return all(isinstance(constant.value, (int, float)) for constant in known)


def _chooser(name: str) -> Callable[..., Any]:
    return lambda *numbers: (min if name == "min" else max)(numbers)


@function("builtins.all", "builtins.any", "numpy.all", "numpy.any")
def quantifier(call: LibraryCall) -> Value | None:
    """all(x), any(x)"""
    value = call.get("iterable", 0) or call.get("a", 0)
    of_arrays = call.name.startswith("numpy.")
    if of_arrays and not isinstance(value, Sequence):
        return None
    items = call.reader.items(value) if value is not None else None
    wanted = call.name.endswith("any")
    if items is None:
        return Opaque("it depends on items that are not known", "bool")
    if items and all(isinstance(item, Opaque) and item.why == ON_DISK for item in items):
        return items[0]
    if of_arrays:
        return None
    truths = [call.reader.strong_truth(item) for item in items]
    if wanted in truths:
        return Constant(wanted, place=call.place)
    if None in truths:
        weak = [call.reader.truth(item) for item in items]
        if wanted in weak:
            return Constant(wanted, weak=True, place=call.place)
        return Opaque("it depends on items that are not known", "bool") if None in weak else Constant(not wanted, weak=True, place=call.place)
    return Constant(not wanted, place=call.place)


@function("builtins.id")
def identity(call: LibraryCall) -> Value | None:
    """id(x)"""
    return Opaque("an identity", "int")


@function("builtins.print", "builtins.help")
def printed(call: LibraryCall) -> Value | None:
    """print(...) does nothing to what it shows."""
    telling.note(call.reader, call.node)
    return NONE


@function("builtins.breakpoint")
def stopped(call: LibraryCall) -> Value | None:
    """breakpoint(), and what debuggers call the same (pdb.py)."""
    if not call.reader.refusals.guarded:
        call.reader.record(DebuggerStop(call.place, call=call.name.removeprefix("builtins.")))
    return NONE


@function("builtins.input")
def typed_in(call: LibraryCall) -> Value | None:
    """input()"""
    return Opaque("it is typed in", "str")


__all__ = ["Library", "length_of", "unknown_of"]
