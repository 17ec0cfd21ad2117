"""Built-in constructors and functions of containers."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.recipe import Loader
from advisor.model.record import replace
from advisor.model.source import Known, OneOf, Option, Part, Setting, Unknown, number
from advisor.read.frameworks import cuts
from advisor.read.frameworks.builtins.methods import ordered
from advisor.read.frameworks.table import Iteration, LibraryCall, function
from advisor.read.python import classes, functions, iteration, lifetimes, subscripts
from advisor.read.python.checkpoints import part_of
from advisor.read.python.counted import judge_range
from advisor.read.python.values import (
    LEFT_OUT,
    NONE,
    Arguments,
    Constant,
    Generator,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    content,
    join,
    mapping,
    members,
    plain,
    sequence,
    setting,
)

UNCOUNTED = ("data", "unknown")  # loops over what holds the data, however it is counted beside it


def _iteration(item: Value, like: Iteration, items: tuple[Value, ...] | None = None) -> Value:
    """A lazy sequence that iterates like another thing, with other items."""
    made = sequence(list(items) if items is not None else [item], "lazy", items is not None)
    made.state["iteration"] = Iteration(item, items, like.over, like.count, like.what)
    return made


@function("builtins.range")
def range_(call: LibraryCall) -> Value:
    """range(n): its count is known when its bounds are."""
    given = call.arguments.positional
    judge_range(call.reader, given, call.node)
    numbers = [plain(value) for value in given]
    count: Setting = Unknown("the bounds of the range are not known")
    begins = part_of(given[0]) if len(given) > 1 else None
    items: tuple[Value, ...] | None = None
    low = high = None
    if given and all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        try:
            spread = range(*numbers)
            told = given[1:] if len(given) > 1 and numbers[0] == 0 else given  # that it begins at zero is no news
            origin = tuple(link for value in told for link in getattr(value, "origin", ()))
            weak = any(getattr(value, "weak", False) for value in given)
            place = getattr(given[-1] if len(given) > 1 else given[0], "place", None)
            count = Known(len(spread), origin, weak=weak, place=place)
            if len(spread):
                low, high = min(spread[0], spread[-1]), None if weak else max(spread[0], spread[-1])
            if len(spread) <= 16:
                items = tuple(Constant(n, origin, weak) for n in spread) if weak else tuple(Constant(n) for n in spread)
        except (ValueError, TypeError, OverflowError):
            pass
    elif given:
        end = given[0] if len(given) == 1 else given[1]
        count = setting(end) if len(given) == 1 else _width(call, begins)
        from_start = all(not isinstance(start, Constant) or start.value in (0, 1) for start in members(given[0]))
        ends = [member for member in members(end) if isinstance(member, Constant)]
        if len(given) == 2 and len(ends) == 1 and from_start:
            count = _or_later(_counted_from(_first(call, given[0]), setting(ends[0])), begins)
        elif len(given) == 2 and from_start and isinstance(last := members(end)[0], Opaque) and last.filled is not None:
            count = Unknown("the bounds of the range are not known", part=begins, filled=last.filled)
        low = numbers[0] if len(given) == 2 and isinstance(numbers[0], int) else 0
    item = Opaque("a counter", "int", low, high, alike=len(given) < 3)  # range(rank, n, processes) deals out
    made = sequence(list(items or [item]), "range", items is not None)
    made.state["iteration"] = Iteration(item, items, _loader(given), count, "range")
    return made


def _loader(given: list[Value]) -> object:
    """The loader that `range(len(loader))` has a number for each batch of."""
    passes = given[0].passes if len(given) == 1 and isinstance(given[0], Opaque) else None
    return passes.of if passes is not None and isinstance(passes.of, Loader) and passes.times.value == 1 else None


def _first(call: LibraryCall, start: Value) -> int:
    """Where a range begins that no checkpoint moves on: where the program sets it, else at one where it ends at `n + 1`, so as to reach n."""
    known = [member.value for member in members(start) if isinstance(member, Constant)]
    end = call.node.args[1] if isinstance(call.node, ast.Call) and len(call.node.args) > 1 else None
    if known or not isinstance(end, ast.BinOp) or not isinstance(end.op, ast.Add):
        return 1 if known and all(known) else 0
    return int(any(isinstance(side, ast.Constant) and side.value == 1 for side in (end.left, end.right)))


def _counted_from(first: int, end: Setting) -> Setting:
    """How many numbers there are from the first up to the end."""
    return replace(end, value=end.value - first) if first and isinstance(end, Known) and isinstance(end.value, int) else end


def _or_later(count: Setting, begins: Part | None) -> Setting:
    """The length of a range whose start depends on the run."""
    return OneOf((Option(count), Option(Unknown("a run that is resumed starts later", part=begins)))) if isinstance(count, Known) else count


def _width(call: LibraryCall, begins: Part | None) -> Setting:
    """How many numbers `range(start, start + n)` has, whatever its start."""
    given = call.node.args if isinstance(call.node, ast.Call) and len(call.arguments.positional) == 2 else []
    start, end = given if len(given) == 2 else (None, None)
    if isinstance(end, ast.BinOp) and isinstance(end.op, ast.Add) and isinstance(start, (ast.Name, ast.Attribute)):
        for one, other in ((end.left, end.right), (end.right, end.left)):
            if call.reader.text(one) == call.reader.text(start) and isinstance(other, (ast.Constant, ast.Name, ast.Attribute)):
                return _or_later(setting(call.reader.evaluate(other)), begins)
    return Unknown("the bounds of the range are not known", part=begins)


@function("builtins.enumerate")
def enumerate_(call: LibraryCall) -> Value:
    """enumerate(x)"""
    value = call.get("iterable", 0)
    if value is None:
        return Opaque("pairs")
    inner = iteration.iterate(call.reader, value, call.node, lazily=True)
    start = plain(call.get("start", 1)) if call.get("start", 1) is not None else 0
    if isinstance(inner.item, Generator):
        counter = Opaque("a counter", "int", start if isinstance(start, int) else None, alike=True)
        return replace(inner.item, through=(*inner.item.through, lambda item: sequence([counter, item], "tuple")))
    high = inner.count.value - 1 if isinstance(inner.count, Known) and isinstance(inner.count.value, int) else None
    items = None
    if inner.items is not None and isinstance(start, int):
        items = tuple(sequence([Constant(index + start), item], "tuple") for index, item in enumerate(inner.items))
    counter = Opaque("a counter", "int", start if isinstance(start, int) else None, high, alike=True)
    return _iteration(sequence([counter, inner.item], "tuple"), inner, items)


def _zipped(call: LibraryCall, turns: list[Iteration], generator: Generator, item: Value) -> Value:
    """One turn of a zip whose first project generator gave an item."""
    parts: list[Value] = []
    for turn in turns:
        if turn.item is generator:
            parts.append(item)
        else:
            parts.append(functions.drain(call.reader, turn.item, call.node) if isinstance(turn.item, Generator) else turn.item)
    return sequence(parts, "tuple")


@function("builtins.zip")
def zip_(call: LibraryCall) -> Value:
    """zip(a, b): the loop is over every loader in it."""
    inner = [iteration.iterate(call.reader, value, call.node, lazily=True) for value in call.arguments.positional]
    if not inner:
        return sequence([], "list")
    generator = next((one.item for one in inner if isinstance(one.item, Generator)), None)
    if generator is not None:
        return replace(generator, through=(*generator.through, lambda item: _zipped(call, inner, generator, item)))
    items = None
    if all(one.items is not None for one in inner):
        items = tuple(sequence(list(group), "tuple") for group in zip(*(one.items or () for one in inner)))
    over = [one.over for one in inner if one.over is not None]
    told = next((one for one in inner if one.over is not None), None) or next((one for one in inner if one.what in UNCOUNTED), inner[0])
    like = Iteration(inner[0].item, None, (over[0] if len(over) == 1 else tuple(over)) if over else None, _shortest(inner), told.what)
    return _iteration(sequence([one.item for one in inner], "tuple"), like, items)


def _shortest(turns: list[Iteration]) -> Setting | None:
    """How often a zip turns, which ends with its shortest: beside a loader as often as the first says, beside what could not be read nobody knows."""
    if any(one.over is not None for one in turns):
        return turns[0].count
    counts = [one.count for one in turns if isinstance(one.count, Known)]
    return min(counts, key=lambda count: number(count) or 0) if len(counts) == len(turns) else Unknown("how long what is zipped is")


@function("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted", "builtins.reversed")
def collect(call: LibraryCall) -> Value:
    """list(x): the items of x."""
    kind = call.name.rpartition(".")[2]
    if not call.arguments.positional:
        return lifetimes.made_here(call.reader, sequence([], kind if kind in ("list", "tuple", "set") else "list"))
    value = call.arguments.positional[0]
    kind = kind if kind in ("list", "tuple", "set") else "list"
    weights = [member for member in members(value) if isinstance(member, Weights)]
    if len(weights) == len(members(value)):
        return join([subscripts.listed(call.reader, member, call.place) for member in weights], value.when if isinstance(value, Union) else None)
    if isinstance(value, (Tensor, Opaque)) and value.flow is not None:
        return replace(value, listed=True) if isinstance(value, Tensor) else value
    if call.name.endswith("sorted"):
        inner = call.reader.iterate(value, call.node)
        held = ordered(call.reader, list(inner.items), call) if inner.items is not None else None
        if held is not None:
            return sequence(held, "list")
        return sequence(list(inner.items) if inner.items is not None else [inner.item], "list", exact=False)
    if isinstance(value, Sequence) and value.kind not in ("range", "lazy"):
        items = list(value.items)
        if kind == "set":
            unique: list[Value] = []
            for item in items:
                if not any(isinstance(item, Constant) and isinstance(u, Constant) and u.value == item.value for u in unique):
                    unique.append(item)
            items = unique
        if call.name.endswith("reversed"):
            items.reverse()
        made = sequence(items, kind, value.exact)
        return made if kind == "set" else cuts.keep_order(call.reader, made, value)
    inner = call.reader.iterate(value, call.node)
    if isinstance(value, Union) and inner.items is None:
        return Opaque("one of several lists", "list")
    made = sequence(list(inner.items) if inner.items is not None else [inner.item], kind, inner.items is not None)
    if isinstance(value, Sequence) and value.kind == "range" and not made.exact:
        made.state["counted"] = inner.count  # as many as the range, until something is added or taken
    return made if kind == "set" else cuts.keep_order(call.reader, made, value)


@function("builtins.dict")
def dict_(call: LibraryCall) -> Value:
    """dict(a=1), dict(pairs), dict(other)"""
    items: dict[Any, Value] = {}
    exact = call.arguments.exact
    for value in map(content, call.arguments.positional):
        if isinstance(value, Union):
            value = _one_of(value)
        if isinstance(value, Mapping):
            items.update(value.items)
            exact = exact and value.exact
        elif isinstance(value, Sequence) and value.exact:
            for pair in value.items:
                if isinstance(pair, Sequence) and len(pair.items) == 2 and isinstance(pair.items[0], Constant):
                    items[pair.items[0].value] = pair.items[1]
                else:
                    exact = False
        else:
            exact = False
    items.update(call.arguments.keywords)
    return lifetimes.made_here(call.reader, mapping(items, exact, call.place))


def _one_of(value: Union) -> Value:
    """Several dicts as one whose values are the alternatives; anything else among them makes it unknown."""
    held = [member for member in map(content, value.members) if isinstance(member, Mapping)]
    if len(held) < len(value.members):
        return value
    keys = dict.fromkeys(key for member in held for key in member.items)
    items = {key: join([member.items.get(key, LEFT_OUT) for member in held], value.when) for key in keys}
    return mapping(items, all(member.exact for member in held), held[0].place)


@function("builtins.iter")
def iter_(call: LibraryCall) -> Value:
    """iter(x): x, to be taken from."""
    return call.arguments.positional[0] if call.arguments.positional else Opaque("an iterator")


@function("builtins.next")
def next_(call: LibraryCall) -> Value:
    """next(iterator): one item."""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if value is None:
        return Opaque("an item")
    if isinstance(value, Instance) and value.role == "loader" and value.fact is not None:
        call.reader.taken.append((value.fact, call.place))
    if isinstance(value, Instance) and value.cls is not None:
        method = classes.class_lookup(call.reader, value.cls, "__next__")
        if method is not None:
            return call.reader.call(call.reader.attribute(value, "__next__", call.node), Arguments(), call.node)
    if isinstance(value, Sequence) and value.exact and value.items and value.kind not in ("lazy", "range"):
        return value.items[0]
    item = call.reader.iterate(value, call.node).item
    default = call.get("default", 1)
    return join([item, default]) if default is not None else item


@function("builtins.map", "builtins.filter")
def map_(call: LibraryCall) -> Value:
    """map(f, x), filter(f, x)"""
    given = call.arguments.positional
    if len(given) < 2:
        return Opaque("mapped items")
    function_value, value = given[0], given[1]
    if call.name.endswith("filter"):
        if isinstance(value, Weights):
            text = call.reader.text(call.node.args[0]) if hasattr(call.node, "args") else "a filter"
            text = "requires_grad" if "requires_grad" in text else text
            return Weights(replace(value.parameters, filtered=text, exact=False, iterator=True), named=value.named)
        inner = call.reader.iterate(value, call.node)
        kept = _kept(call, function_value, inner.items) if inner.items is not None and len(inner.items) <= 16 else None
        return _iteration(inner.item, Iteration(inner.item, kept, inner.over, None, inner.what), kept)
    inner = call.reader.iterate(value, call.node)
    if inner.items is not None and len(inner.items) <= 16:
        results = tuple(call.reader.call(function_value, Arguments([item]), call.node) for item in inner.items)
        return _iteration(results[0] if results else Opaque("an item"), inner, results)
    return _iteration(call.reader.call(function_value, Arguments([inner.item]), call.node), inner)


def _kept(call: LibraryCall, test: Value, items: tuple[Value, ...]) -> tuple[Value, ...] | None:
    """The items that pass a filter; None when that is not known for one of them."""
    kept: list[Value] = []
    for item in items:
        answer = item if isinstance(test, Constant) and test.value is None else call.reader.call(test, Arguments([item]), call.node)
        truth = call.reader.strong_truth(answer)
        if truth is None:
            return None
        if truth:
            kept.append(item)
    return tuple(kept)


@function("builtins.slice")
def slice_(call: LibraryCall) -> Value:
    """slice(a, b, c)"""
    given = list(call.arguments.positional)
    if len(given) == 1:
        given = [NONE, given[0]]
    return sequence([*given, *[NONE] * (3 - len(given))], "slice")
