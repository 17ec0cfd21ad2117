"""yacs: CfgNode with attribute access; files and lists merged over the defaults."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.omegaconf import merged
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import NONE, Constant, Mapping, Opaque, Sequence, Value, mapping

NAMES = ("yacs.config.CfgNode", "fvcore.common.config.CfgNode", "detectron2.config.CfgNode")


@table.function(*NAMES)
def node(call: LibraryCall) -> Value:
    """CN({...})"""
    value = call.get("init_dict", 0)
    made = attributed(value) if isinstance(value, Mapping) else attributed(mapping({}))
    if isinstance(made, Mapping):
        made.state["yacs"] = True
    return made


def method_of_node(call: LibraryCall, config: Mapping, name: str) -> Value | None:
    """cfg.merge_from_file, merge_from_list, clone, freeze, ...; None when it is no method of yacs."""
    reader = call.reader
    if name in ("merge_from_file", "merge_from_other_cfg"):
        value = call.arguments.positional[0] if call.arguments.positional else call.get("cfg_filename")
        other = load_config(call, value, typed=True) if name == "merge_from_file" else value
        joined = attributed(merged(config, other or Opaque("a config file")))
        if isinstance(joined, Mapping):
            weak = joined if isinstance(other, Mapping) else None
            reader.store.write(config.state, "items", joined.items)
            if weak is None:
                reader.store.write(config.state, "items", _weakened(joined).items)
        return NONE
    if name == "merge_from_list":
        value = call.arguments.positional[0] if call.arguments.positional else None
        items = call.reader.items(value) if isinstance(value, Sequence) else None
        for key, new in zip((items or [])[::2], (items or [])[1::2], strict=False):
            _assign(reader, config, str(reader.plain(key)), new)
        return NONE
    if name in ("clone", "copy"):
        return attributed(mapping(dict(config.items), config.exact, config.place))
    if name in ("freeze", "defrost", "set_new_allowed", "is_frozen", "dump", "register_deprecated_key", "register_renamed_key"):
        return NONE if name != "dump" else Opaque("a YAML text", "str")
    return None


def _weakened(config: Mapping) -> Mapping:
    items: dict[object, Value] = {}
    for key, value in config.items.items():
        items[key] = (
            _weakened(value)
            if isinstance(value, Mapping)
            else Constant(value.value, value.origin, True, value.place)
            if isinstance(value, Constant)
            else value
        )
    made = mapping(items, config.exact, config.place)
    made.state["attributes"] = True
    return made


def _assign(reader: object, config: Mapping, path: str, new: Value) -> None:
    parts = path.split(".")
    target: Value = config
    for part in parts[:-1]:
        target = target.items.get(part, Opaque()) if isinstance(target, Mapping) else Opaque()
    if isinstance(target, Mapping):
        target.items[parts[-1]] = new
