"""inspect: what kind of thing a value is."""

from __future__ import annotations

from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python.values import Bound, Class, Constant, Function, Instance, Mapping, Opaque, Sequence, Tensor, Value

NO_CLASS = (Function, Bound, Instance, Constant, Sequence, Mapping, Tensor)


@function("inspect.isclass")
def isclass(call: LibraryCall) -> Value:
    """True for a class of the project; a decorator asks it of what it is put on."""
    value = call.get("object", 0)
    if isinstance(value, (Class, *NO_CLASS)):
        return Constant(isinstance(value, Class))
    return Opaque("a type test", "bool")


@function("inspect.isfunction", "inspect.ismethod", "inspect.isroutine")
def isfunction(call: LibraryCall) -> Value:
    """True for a function of the project, or a method that is bound to its object."""
    value = call.get("object", 0)
    kinds = {"inspect.isfunction": (Function,), "inspect.ismethod": (Bound,)}.get(call.name, (Function, Bound))
    if isinstance(value, (Class, *NO_CLASS)) and not (isinstance(value, Bound) and value.function is None):
        return Constant(isinstance(value, kinds))
    return Opaque("a type test", "bool")
