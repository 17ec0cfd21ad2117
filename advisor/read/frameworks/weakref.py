"""weakref: a proxy is the object itself to whoever uses it, a reference gives it when called."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Opaque, Value


@table.function("weakref.proxy")
def proxy(call: LibraryCall) -> Value:
    """proxy(x)"""
    return call.get("object", 0) or Opaque("a weak proxy")


@table.prefix("weakref")
def other(call: LibraryCall) -> Value:
    """References, sets and mappings that keep nothing alive change no weights."""
    return Opaque(f"result of `{call.name}`")
