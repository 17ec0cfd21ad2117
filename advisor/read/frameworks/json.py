"""json in a program: files that are there are read with places."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import Instance, Opaque, Value


@table.function("json.load", "ujson.load", "commentjson.load", "json5.load", "jsonc.load")
def load(call: LibraryCall) -> Value:
    """json.load(stream)"""
    return load_config(call, call.get("fp", 0))


@table.function("json.loads", "ujson.loads", "json5.loads")
def loads(call: LibraryCall) -> Value:
    """json.loads(stream.read())"""
    value = call.get("s", 0)
    return load_config(call, value) if isinstance(value, Instance) else Opaque("a JSON text")


@table.function("json.dump", "json.dumps")
def dump(call: LibraryCall) -> Value:
    """Writing."""
    return Opaque("a JSON text", "str")
