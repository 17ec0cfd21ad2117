"""Project classes derived from dict: what they hold is a mapping that indexing, methods and `**` reach."""

from __future__ import annotations

import ast
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.python import subscripts
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Value, content, mapping

KINDS = (
    "builtins.dict",
    "collections.OrderedDict",
    "collections.UserDict",
    "collections.defaultdict",
    "collections.abc.MutableMapping",
    "easydict.EasyDict",
    "addict.Dict",
    "munch.Munch",
    "box.Box",
    "ml_collections.ConfigDict",
)
ATTRIBUTED = KINDS[5:]


def backing(reader: Reader, instance: Instance) -> Mapping:
    """The mapping that an object of a dict class holds."""
    held = instance.data.get("mapping")
    if not isinstance(held, Mapping):
        held = mapping({})
        reader.store.write(instance.data, "mapping", held)
        if instance.kind in ATTRIBUTED:
            reader.store.write(instance.data, "self_dict", True)
    return held


def mirror(reader: Reader, instance: Instance, items: dict[Any, Value]) -> None:
    """After `self.__dict__ = self` every key is an attribute, too."""
    if instance.data.get("self_dict"):
        for key, value in items.items():
            if isinstance(key, str):
                reader.store.write(instance.attributes, key, value)


@table.method(KINDS, "__init__", "update")
def fill(call: LibraryCall) -> Value:
    """super().__init__(*args, **kwargs)"""
    reader, held = call.reader, backing(call.reader, call.this)
    items: dict[Any, Value] = {}
    exact = call.arguments.exact and held.exact
    for value in call.arguments.positional:
        made = content(value)
        if not isinstance(made, Mapping):
            made = table.FUNCTIONS["builtins.dict"](LibraryCall(reader, "builtins.dict", type(call.arguments)([value]), call.node)) or Opaque()
        if isinstance(made, Mapping):
            items.update(made.items)
            exact = exact and made.exact
        elif not (isinstance(value, Constant) and value.value is None):
            exact = False
    items.update(call.arguments.keywords)
    reader.store.write(held.state, "items", {**held.items, **items})
    reader.store.write(held.state, "exact", exact)
    mirror(reader, call.this, items)
    return NONE


@table.method(KINDS, "__getitem__")
def get_item(call: LibraryCall) -> Value:
    """self[key]"""
    key = call.arguments.positional[0]
    if isinstance(key, Constant) and isinstance(key.value, str) and key.value not in backing(call.reader, call.this).items:
        found = call.this.attributes.get(key.value)
        if found is not None:
            return found
    return call.reader.subscript(backing(call.reader, call.this), key, call.node)


@table.method(KINDS, "__setitem__")
def set_item(call: LibraryCall) -> Value:
    """self[key] = value"""
    key, value = call.arguments.positional[:2]
    subscripts.set_item(call.reader, backing(call.reader, call.this), key, value, call.node)
    if isinstance(key, Constant):
        mirror(call.reader, call.this, {key.value: value})
    return NONE


@table.method(KINDS, "get", "items", "keys", "values", "pop", "setdefault", "copy", "clear", "__len__")
def delegate(call: LibraryCall) -> Value | None:
    """Methods of the mapping."""
    from advisor.read.frameworks.builtins.methods import method_of_value

    name, held = call.name.rpartition(".")[2], backing(call.reader, call.this)
    if name == "__len__":
        return Constant(len(held.items)) if held.exact else Opaque("the size of a dict", "int")
    return method_of_value(call.reader, held, name, call)


@table.iterate(*KINDS)
def iterate(reader: Reader, instance: Any) -> Iteration:
    """for key in self"""
    return reader.iterate(backing(reader, instance), reader.entry.tree)


def _own_dict(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
    if isinstance(value, Instance) and value is instance:
        reader.store.write(instance.data, "self_dict", True)
        mirror(reader, instance, backing(reader, instance).items)


for _kind in KINDS:
    table.WRITES[_kind, "__dict__"] = _own_dict
