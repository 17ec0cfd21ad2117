"""addict: an attribute dictionary whose missing keys are new dictionaries."""

from __future__ import annotations

from advisor.read.frameworks import easydict, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Library, Mapping, Value


@table.function("addict.Dict")
def make(call: LibraryCall) -> Value | None:
    """Dict(a=1)"""
    made = easydict.make(call)
    if isinstance(made, Mapping):
        made.state["default"] = Library("addict.Dict")
    return made
