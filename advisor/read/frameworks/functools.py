"""functools: partial, wraps, lru_cache, reduce."""

from __future__ import annotations

from advisor.read.frameworks.builtins import classes  # noqa: F401  (cached_property)
from advisor.read.frameworks.table import LibraryCall, decorator, function
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Constant, Opaque, Partial, Value


@function("functools.partial", "functools.partialmethod")
def partial(call: LibraryCall) -> Value:
    """partial(f, *args, **kwargs)"""
    given = call.arguments.positional
    if not given:
        return Opaque("a partial of nothing")
    return Partial(given[0], given[1:], dict(call.arguments.keywords), call.arguments.exact)


@decorator(
    "functools.wraps", "functools.lru_cache", "functools.cache", "functools.singledispatch", "functools.total_ordering", "functools.update_wrapper"
)
def keep(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """What it decorates stays what it is."""
    return value


@function("functools.wraps", "functools.lru_cache", "functools.cache")
def wraps(call: LibraryCall) -> Value:
    """Used as a call: gives a function that gives its argument back."""
    return call.reader.instance("functools.keep", role="keep", node=call.node)


@function("functools.reduce")
def reduce(call: LibraryCall) -> Value:
    """reduce(f, items[, first])"""
    given = call.arguments.positional
    if len(given) < 2:
        return Opaque("a reduction")
    items = call.reader.items(given[1])
    if items is None or len(items) > 16:
        return call.reader.unknown_call(call)
    values = ([given[2]] if len(given) > 2 else []) + items
    result = values[0] if values else Constant(None)
    for value in values[1:]:
        result = call.reader.call(given[0], Arguments([result, value]), call.node)
    return result
