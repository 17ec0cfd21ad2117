"""OmegaConf: configs read with YAML 1.2 numbers, merged, readable by attribute; interpolation of known keys."""

from __future__ import annotations

import re

from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Value, mapping

_REFERENCE = re.compile(r"^\$\{([\w.]+)\}$")


def interpolated(root: Value) -> Value:
    """The config with `${a.b}` of known keys replaced, in place."""
    if isinstance(root, Mapping):
        _resolve(root, root, 0)
    return root


def _resolve(node: Mapping, root: Mapping, depth: int) -> None:
    for key, value in list(node.items.items()):
        if isinstance(value, Mapping) and depth < 12:
            _resolve(value, root, depth + 1)
        elif isinstance(value, Opaque) and value.why.startswith("the interpolation "):
            match = _REFERENCE.match(value.why.removeprefix("the interpolation "))
            found: Value | None = root
            for part in match.group(1).split(".") if match else ():
                found = found.items.get(part) if isinstance(found, Mapping) else None
            if match and isinstance(found, Constant):
                node.items[key] = found


@table.function("omegaconf.OmegaConf.load")
def load(call: LibraryCall) -> Value:
    """OmegaConf.load(path)"""
    return interpolated(attributed(load_config(call, call.get("file_", 0), typed=True)))


@table.function("omegaconf.OmegaConf.create", "omegaconf.OmegaConf.structured", "omegaconf.DictConfig", "omegaconf.ListConfig")
def create(call: LibraryCall) -> Value:
    """OmegaConf.create({...})"""
    value = call.get("obj", 0) or call.get("content", 0)
    if isinstance(value, Instance) and value.cls is not None:
        return attributed(mapping(dict(value.attributes)))
    return attributed(value) if value is not None else attributed(mapping({}))


@table.function("omegaconf.OmegaConf.merge", "omegaconf.OmegaConf.unsafe_merge")
def merge(call: LibraryCall) -> Value:
    """OmegaConf.merge(a, b)"""
    result: Value = mapping({})
    for value in call.arguments.positional:
        result = merged(result, value)
    return interpolated(attributed(result))


def merged(under: Value, over: Value) -> Value:
    """A config with another over it."""
    if isinstance(over, Instance) and over.attributes:
        over = mapping(dict(over.attributes))
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        items = dict(under.items)
        for key, value in over.items.items():
            items[key] = merged(items[key], value) if key in items and isinstance(value, Mapping) else value
        return mapping(items, under.exact and over.exact, over.place or under.place)
    if isinstance(under, Mapping) and not isinstance(over, (Mapping, Constant, Sequence)):
        return Mapping({**under.state, "exact": False}, under.place)
    return over


@table.function("omegaconf.OmegaConf.from_cli", "omegaconf.OmegaConf.from_dotlist")
def from_cli(call: LibraryCall) -> Value:
    """What the command line gives: nothing by default."""
    return attributed(mapping({}))


@table.function("omegaconf.OmegaConf.to_container", "omegaconf.OmegaConf.to_object", "omegaconf.OmegaConf.masked_copy")
def to_container(call: LibraryCall) -> Value:
    """The plain dict."""
    return call.get("cfg", 0) or Opaque("a config", "dict")


@table.function("omegaconf.OmegaConf.select")
def select(call: LibraryCall) -> Value:
    """OmegaConf.select(cfg, "a.b")"""
    value, key = call.get("cfg", 0), call.reader.plain(call.get("key", 1))
    for part in key.split(".") if isinstance(key, str) else ():
        value = value.items.get(part) if isinstance(value, Mapping) else None
    return value if value is not None else call.get("default") or Opaque("a key of a config")


@table.prefix("omegaconf.OmegaConf")
def other(call: LibraryCall) -> Value:
    """set_struct, to_yaml, register_new_resolver, ..."""
    return Opaque(f"result of `{call.name}`") if call.name.endswith(("to_yaml", "is_missing", "is_config")) else NONE


@table.function("omegaconf.open_dict", "omegaconf.read_write", "omegaconf.flag_override")
def opened(call: LibraryCall) -> Value:
    """with open_dict(cfg):"""
    return call.reader.instance("omegaconf.open_dict", role="context", node=call.node)
