"""itertools: chains of parameters, endless loaders, products of known lists."""

from __future__ import annotations

import itertools
from typing import Any

from advisor.model.recipe import Parameters
from advisor.model.source import Known, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.python import iteration
from advisor.read.python.checkpoints import part_of
from advisor.read.python.values import Generator, Opaque, Sequence, Value, Weights, join, sequence

MOST_PRODUCTS = 64


def lazy(iteration: Iteration) -> Value:
    """A sequence that iterates like this."""
    items = iteration.items
    made = sequence(list(items) if items is not None else [iteration.item], "lazy", items is not None)
    made.state["iteration"] = iteration
    return made


def chained(call: LibraryCall, parts: list[Value], exact: bool) -> Value:
    """The parts one after another: weights stay weights, loaders stay loaders."""
    weights = [part for part in parts if isinstance(part, Weights)]
    if weights and len(weights) == len(parts):
        held = [part.parameters for part in weights]
        used = [part.state.get("consumed") if part.parameters.iterator else None for part in weights]
        merged = Parameters(
            tuple(dict.fromkeys(module for one in held for module in one.modules)),
            exact=exact and all(one.exact for one in held),
            filtered=next((one.filtered for one in held if one.filtered), None),
            iterator=True,
            consumed_by=used[0] if all(used) else None,
            why=next((one.why for one in held if one.why), None),
            inputs=any(one.inputs for one in held),
        )
        return Weights(merged, named=weights[0].named)
    if weights:
        return sequence(parts, "list", exact=False)
    turns = [call.reader.iterate(part, call.node) for part in parts]
    items: tuple[Value, ...] | None = (
        tuple(item for turn in turns for item in turn.items or ()) if exact and all(t.items is not None for t in turns) else None
    )
    item = join([turn.item for turn in turns]) if turns else Opaque("an item of a chain")
    over = next((turn.over for turn in turns if turn.over is not None), None)
    count = Known(len(items)) if items is not None else Unknown("the length of a chain")
    return lazy(
        Iteration(item, items, over, count, next((turn.what for turn in turns if turn.over is not None), turns[0].what if turns else "items"))
    )


@table.function("itertools.chain")
def chain(call: LibraryCall) -> Value:
    """chain(a.parameters(), b.parameters())"""
    return chained(call, call.arguments.positional, call.arguments.exact)


@table.function("itertools.chain.from_iterable")
def chain_from(call: LibraryCall) -> Value:
    """chain.from_iterable(m.parameters() for m in models)"""
    value = call.get("iterable", 0)
    if isinstance(value, Sequence) and value.items and value.kind not in ("range", "lazy"):
        return chained(call, list(value.items), value.exact)
    return Opaque("a chain of what is not known")


def _first(call: LibraryCall) -> Iteration | None:
    return iteration.iterate(call.reader, call.arguments.positional[0], call.node, lazily=True) if call.arguments.positional else None


@table.function("itertools.cycle")
def cycle(call: LibraryCall) -> Value:
    """cycle(loader): never ends."""
    inner = _first(call)
    if inner is not None and isinstance(inner.item, Generator):
        return inner.item
    return lazy(Iteration(inner.item, None, inner.over, Unknown("an endless cycle"), inner.what)) if inner else Opaque("a cycle")


@table.function("itertools.islice")
def islice(call: LibraryCall) -> Value:
    """islice(loader, n)"""
    inner, given = _first(call), call.arguments.positional[1:]
    if inner is None:
        return Opaque("a slice")
    if isinstance(inner.item, Generator):
        return inner.item
    bounds = [call.reader.plain(value) for value in given]
    if inner.items is not None and bounds and all(bound is None or isinstance(bound, int) for bound in bounds):
        try:
            return lazy(Iteration(inner.item, tuple(itertools.islice(inner.items, *bounds)), inner.over, None, inner.what))
        except ValueError:
            pass
    count: Any = call.reader.setting(given[0]) if len(given) == 1 else None
    return lazy(Iteration(inner.item, None, inner.over, count, inner.what))


@table.function("itertools.takewhile", "itertools.dropwhile", "itertools.filterfalse", "itertools.compress")
def some(call: LibraryCall) -> Value:
    """Some of the items."""
    given = call.arguments.positional
    if not given:
        return Opaque("some items")
    inner = call.reader.iterate(given[0] if call.name.endswith("compress") else given[-1], call.node)
    return lazy(Iteration(inner.item, None, inner.over, None, inner.what))


@table.function("itertools.count")
def count(call: LibraryCall) -> Value:
    """count(start): a counter without end."""
    begins = part_of(call.get("start", 0))
    return lazy(Iteration(Opaque("a counter", "int"), None, None, Unknown("an endless count", part=begins), "range"))


@table.function("itertools.repeat")
def repeat(call: LibraryCall) -> Value:
    """repeat(x, n)"""
    value, times = call.get("object", 0), call.get("times", 1)
    if value is None:
        return Opaque("a repetition")
    return lazy(Iteration(value, None, None, call.reader.setting(times) if times is not None else Unknown("an endless repetition"), "range"))


@table.function("itertools.zip_longest")
def zip_longest(call: LibraryCall) -> Value:
    """zip_longest(a, b)"""
    table.load("builtins")
    return table.FUNCTIONS["builtins.zip"](call) or Opaque("pairs")


@table.function("itertools.tee")
def tee(call: LibraryCall) -> Value:
    """tee(x)"""
    value = call.arguments.positional[0] if call.arguments.positional else Opaque("an iterator")
    return sequence([value, value], "tuple")


@table.function("itertools.product", "itertools.combinations", "itertools.permutations", "itertools.combinations_with_replacement")
def products(call: LibraryCall) -> Value:
    """Tuples of known items."""
    reader, kind = call.reader, call.name.rpartition(".")[2]
    given = call.arguments.positional
    if kind == "product":
        turns = [reader.iterate(value, call.node) for value in given]
        size = 1
        for turn in turns:
            size *= len(turn.items) if turn.items is not None else MOST_PRODUCTS + 1
        item = sequence([turn.item for turn in turns], "tuple")
        if size > MOST_PRODUCTS or "repeat" in call.arguments.keywords or not call.arguments.exact:
            return lazy(Iteration(item, None, None, Unknown("the size of a product"), "items"))
        ways = tuple(sequence(list(way), "tuple") for way in itertools.product(*(turn.items or () for turn in turns)))
        return lazy(Iteration(item, ways, None, Known(len(ways)), "items"))
    items, width = reader.items(given[0]) if given else None, reader.plain(given[1]) if len(given) > 1 else None
    if items is None or not isinstance(width, int) or len(items) > 8 or width > 3:
        return Opaque("combinations", "list")
    ways = tuple(sequence(list(way), "tuple") for way in getattr(itertools, kind)(items, width))[:MOST_PRODUCTS]
    return lazy(Iteration(join(list(ways)) if ways else Opaque("a combination"), ways, None, Known(len(ways)), "items"))


@table.function("itertools.starmap", "itertools.accumulate", "itertools.groupby", "itertools.pairwise", "itertools.batched")
def derived(call: LibraryCall) -> Value:
    """Items made of other items."""
    inner = (
        call.reader.iterate(call.arguments.positional[-1 if call.name.endswith("starmap") else 0], call.node) if call.arguments.positional else None
    )
    return lazy(Iteration(Opaque("a derived item"), None, inner.over if inner else None, None, inner.what if inner else "unknown"))


__all__ = ["chained", "lazy"]
