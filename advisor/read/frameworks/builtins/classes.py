"""Decorators of methods: property, staticmethod, classmethod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.record import replace
from advisor.read.frameworks.table import LibraryCall, decorator
from advisor.read.python.values import Function, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

_KINDS = {
    "builtins.property": "property",
    "builtins.staticmethod": "static",
    "builtins.classmethod": "class",
    "functools.cached_property": "property",
}


def _as(kind: str) -> object:
    def decorate(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
        return replace(value, kind=kind) if isinstance(value, Function) else value

    return decorate


for _name, _kind in _KINDS.items():
    decorator(_name)(_as(_kind))
