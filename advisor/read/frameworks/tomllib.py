"""tomllib in a program: files that are there are read with places."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import Value


@table.function("tomllib.load")
def load(call: LibraryCall) -> Value:
    """tomllib.load(stream or path)"""
    return load_config(call, call.get("fp", 0) or call.get("f"))
