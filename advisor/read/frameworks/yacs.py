"""yacs: CfgNode with attribute access; files and lists merged over the defaults in place, so that every alias sees them."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.recipe import Broken
from advisor.read.config import bases, tree
from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.folding import as_value, weaken
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.yaml import is_weak, load_config, text_of, value_of_node
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Constant,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Union,
    Value,
    content,
    mapping,
)

NAMES = ("yacs.config.CfgNode", "fvcore.common.config.CfgNode", "detectron2.config.CfgNode", "detectron2.config.config.CfgNode")
_QUIET = (
    "freeze",
    "defrost",
    "set_new_allowed",
    "is_new_allowed",
    "register_deprecated_key",
    "register_renamed_key",
    "key_is_deprecated",
    "raise_key_rename_error",
)


def is_node(value: Value | None) -> bool:
    """True for a node of a config."""
    return (isinstance(value, Mapping) and bool(value.state.get("attributes"))) or (isinstance(value, Instance) and value.kind in NAMES)


def entries(node: Mapping | Instance) -> dict[Any, Value]:
    """What a node holds."""
    return node.items if isinstance(node, Mapping) else node.attributes


def put(reader: Reader, node: Mapping | Instance, key: Any, value: Value) -> None:
    """Writes an entry."""
    if isinstance(node, Mapping):
        reader.store.write(node.state, "items", {**node.items, key: value})
    else:
        reader.store.write(node.attributes, str(key), value)


def merge_into(reader: Reader, node: Mapping | Instance, other: Value) -> None:
    """A mapping merged over a node, in place."""
    found = entries(other) if isinstance(other, Mapping) or (isinstance(other, Instance) and other.kind in NAMES) else {}
    for key, value in found.items():
        held = entries(node).get(key)
        inner = content(value) if isinstance(value, Instance) and value.kind not in NAMES else value
        if isinstance(held, (Mapping, Instance)) and is_node(held) and isinstance(inner, (Mapping, Instance)):
            merge_into(reader, held, inner)
        else:
            put(reader, node, key, _as_node(value))


def _as_node(value: Value) -> Value:
    made = attributed(value) if isinstance(value, Mapping) and not value.state.get("attributes") else value
    if isinstance(made, Mapping):
        made.state["yacs"] = True
    return made


def weaken_all(reader: Reader, node: Mapping | Instance, file: str | None = None) -> None:
    """Something that could not be read may override any of these: they become defaults. A config `file` is there to override a library's own."""
    for key, value in list(entries(node).items()):
        if isinstance(value, (Mapping, Instance)) and is_node(value):
            weaken_all(reader, value, file)
        elif file is not None and _of_library(value):
            put(reader, node, key, Opaque(file))
        elif isinstance(value, (Constant, Union, Sequence)):
            put(reader, node, key, weaken(value))


def _of_library(value: Value) -> bool:
    """True for a default of a library."""
    if isinstance(value, Sequence):
        return any(map(_of_library, value.items))
    return isinstance(value, Constant) and value.default is not None


def copied(reader: Reader, node: Value) -> Value:
    """A deep copy of a node."""
    if isinstance(node, Mapping) and node.state.get("attributes"):
        made = Mapping({**node.state, "items": {key: copied(reader, value) for key, value in node.items.items()}}, node.place)
        made.state["yacs"] = True
        return made
    if isinstance(node, Instance) and node.kind in NAMES:
        attributes = {key: copied(reader, value) for key, value in node.attributes.items()}
        return reader.instance(node.kind, role=node.role, cls=node.cls, attributes=attributes, data=dict(node.data))
    return node


def decoded(value: Value) -> Value:
    """yacs evaluates texts as Python literals: "1e-3" is a number, "(1, 2)" a tuple."""
    if isinstance(value, Mapping):
        return Mapping({**value.state, "items": {key: decoded(item) for key, item in value.items.items()}}, value.place)
    if isinstance(value, Constant) and isinstance(value.value, str):
        try:
            found = ast.literal_eval(value.value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return value
        return as_value(found, value.origin, value.weak, value.place)
    return value


def load_file(call: LibraryCall, value: Value | None) -> Value:
    """A config file with its bases."""
    reader, found = call.reader, text_of(call.reader, value)
    if found is None:
        return load_config(call, value, typed=True)
    display, text = found
    root = tree.load(text, display)
    if isinstance(root, tree.Mapped) and any(key in root.entries for key in bases.KEYS):
        path = next((full for full in reader.modules if reader.project.display(full) == display), None)
        import os

        root, broken = bases.resolve(reader.project, path or os.path.join(reader.project.directory, display), root)
        known = {one.place.file for one in reader.recipe.broken}
        reader.recipe.broken += [one for one in broken if one.place.file not in known]
        root.entries.pop("_BASE_", None)
        return decoded(value_of_node(root, "", weak=is_weak(value), whole=True))
    if isinstance(root, Broken):
        return load_config(call, value)
    return decoded(load_config(call, value))


@table.function(*NAMES)
def node(call: LibraryCall) -> Value:
    """CN({...})"""
    value = call.get("init_dict", 0)
    made = attributed(value) if isinstance(value, Mapping) else attributed(mapping({}))
    if isinstance(made, Mapping):
        made.state["yacs"] = True
    return made


def method_of_node(call: LibraryCall, config: Mapping | Instance, name: str) -> Value | None:
    """cfg.merge_from_file, merge_from_list, clone, freeze, ...; None when it is no method of yacs."""
    reader = call.reader
    given = call.arguments.positional
    if name in ("merge_from_file", "merge_from_other_cfg", "load_yaml_with_base"):
        value = given[0] if given else call.get("cfg_filename") or call.get("cfg_other") or call.get("filename")
        held = value.data.get("config") if isinstance(value, Instance) else None  # a file of a library
        other = held or (value if name == "merge_from_other_cfg" else load_file(call, value))
        if name == "load_yaml_with_base":
            return other
        if isinstance(other, (Mapping, Instance)):
            merge_into(reader, config, other)
        else:
            weaken_all(reader, config, getattr(other, "why", "a config that could not be read"))
        return NONE
    if name == "merge_from_list":
        items = reader.items(given[0]) if given else None
        if items is None:
            weaken_all(reader, config)
        for key, new in zip((items or [])[::2], (items or [])[1::2], strict=False):
            _assign(reader, config, str(reader.plain(key)), decoded(new))
        return NONE
    if name in ("clone", "copy"):
        return copied(reader, config)
    if name in _QUIET:
        return NONE
    if name in ("dump", "is_frozen"):
        return Opaque("a YAML text", "str") if name == "dump" else Opaque("whether it is frozen", "bool")
    return None


def _assign(reader: Reader, config: Mapping | Instance, path: str, new: Value) -> None:
    *parts, last = path.split(".")
    target: Value | None = config
    for part in parts:
        target = entries(target).get(part) if isinstance(target, (Mapping, Instance)) else None
    if isinstance(target, (Mapping, Instance)):
        put(reader, target, last, new)


# --- project classes derived from CfgNode ------------------------------------------------------------------------


@table.method(NAMES, "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(init_dict)"""
    value = call.get("init_dict", 0)
    if isinstance(value, (Mapping, Instance)):
        merge_into(call.reader, call.this, value)
    return NONE


@table.method(
    NAMES, "merge_from_file", "merge_from_other_cfg", "load_yaml_with_base", "merge_from_list", "clone", "copy", "dump", "is_frozen", *_QUIET
)
def inherited(call: LibraryCall) -> Value | None:
    """A method of CfgNode on an object of a class derived from it."""
    return method_of_node(call, call.this, call.name.rpartition(".")[2])


@table.method(NAMES, "__getitem__")
def item(call: LibraryCall) -> Value:
    """cfg["SOLVER"]"""
    key = call.reader.plain(call.arguments.positional[0])
    return call.this.attributes.get(str(key), Opaque(f"key {key!r} of a config"))


@table.method(NAMES, "__setitem__")
def set_item(call: LibraryCall) -> Value:
    """cfg["SOLVER"] = node"""
    key, value = call.arguments.positional[:2]
    if isinstance(key, Constant):
        put(call.reader, call.this, key.value, value)
    return NONE


@table.method(NAMES, "get", "items", "keys", "values", "pop", "update", "setdefault")
def of_dict(call: LibraryCall) -> Value | None:
    """Methods of a dict."""
    from advisor.read.frameworks.builtins.methods import method_of_value

    held = Mapping({"items": call.this.attributes, "exact": True, "of": call.this})
    return method_of_value(call.reader, held, call.name.rpartition(".")[2], call)


@table.iterate(*NAMES)
def iterate(reader: Reader, instance: Any) -> Iteration:
    """for key in cfg"""
    return reader.iterate(Mapping({"items": dict(instance.attributes), "exact": True}), reader.entry.tree)


@table.function(*(f"{name}.load_cfg" for name in NAMES), *(f"{name}.load_yaml_with_base" for name in NAMES))
def load_cfg(call: LibraryCall) -> Value:
    """CfgNode.load_cfg(stream)"""
    made = attributed(load_file(call, call.get("cfg_file_obj_or_str", 0) or call.get("filename", 0)))
    if isinstance(made, Mapping):
        made.state["yacs"] = True
    return made
