"""Hydra: the main decorator injects the composed config; instantiate builds what `_target_` names."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.omegaconf import interpolated, merged
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import read_text
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Constant, Function, Library, Mapping, Opaque, Partial, Sequence, Value, mapping

LONGEST_CHAIN = 20


def compose(reader: Reader, folder: str, name: str, depth: int = 0, package: str = "") -> Value:
    """A config with its defaults list: groups under their names, `_self_` in its place, `override` respected."""
    path = os.path.normpath(os.path.join(folder, name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"))
    found = reader.project.open_text(path, reader.entry.path)
    if found is None or depth > LONGEST_CHAIN:
        return Opaque(f"the config {name} is not there")
    root = read_text(reader, found[1], found[0], typed=True, weak=True)
    if not isinstance(root, Mapping):
        return root if not isinstance(root, Constant) else mapping({})
    own = mapping({key: value for key, value in root.items.items() if key not in ("defaults", "hydra")}, root.exact, root.place)
    result: Value = mapping({})
    defaults = root.items.get("defaults")
    done = False
    for item in defaults.items if isinstance(defaults, Sequence) else ():
        group, choice = _entry(item)
        if group == "_self_" or choice == "_self_":
            result, done = merged(result, own), True
            continue
        if (
            choice is None
            or (group or "").split(" ")[0].startswith("hydra")
            or (group or "").removeprefix("override ").startswith(("hydra/", "/hydra/"))
        ):
            continue
        name_of_group = (group or "").removeprefix("override ").removeprefix("optional ").lstrip("/")
        where, _, target = name_of_group.partition("@")
        inner = compose(
            reader, folder if not depth or name_of_group.startswith("/") else folder, os.path.join(where, choice) if where else choice, depth + 1
        )
        key = target if target and target != "_global_" else where.rpartition("/")[2] if where and target != "_global_" else ""
        if where and not target:
            for part in reversed(where.split("/")):
                inner = mapping({part: inner})
        elif key:
            inner = mapping({key: inner})
        result = merged(result, inner) if isinstance(inner, Mapping) else Mapping({"items": getattr(result, "items", {}), "exact": False})
    return result if done else merged(result, own)


def _entry(item: Value) -> tuple[str | None, str | None]:
    if isinstance(item, Constant) and isinstance(item.value, str):
        return None, item.value
    if isinstance(item, Mapping) and len(item.items) == 1:
        key, value = next(iter(item.items.items()))
        if isinstance(value, Constant) and isinstance(value.value, (str, bool, int)):
            return str(key), str(value.value)
        return str(key), None
    return None, None


@table.decorator("hydra.main")
def main(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@hydra.main(config_path="conf", config_name="config")"""
    if not isinstance(value, Function):
        return value
    folder, name = "", None
    if call is not None:
        folder = reader.plain(call.get("config_path", 0))
        name = reader.plain(call.get("config_name", 1))
    config: Value = Opaque("the configuration that Hydra composes")
    if isinstance(name, str):
        base = os.path.join(os.path.dirname(reader.frame.module.path), folder if isinstance(folder, str) else "")
        config = interpolated(attributed(compose(reader, base, name)))
    parameters = [argument.arg for argument in value.node.args.args]
    return replace(value, injected={**value.injected, parameters[0]: config}) if parameters else value


@table.function("hydra.compose")
def composed(call: LibraryCall) -> Value:
    """compose(config_name="config")"""
    return Opaque("the configuration that Hydra composes")


@table.function("hydra.utils.instantiate", "hydra.utils.call", "hydra_zen.instantiate")
def instantiate(call: LibraryCall) -> Value:
    """instantiate(cfg.optimizer, params=model.parameters())"""
    config = call.get("config", 0)
    extra = {key: value for key, value in call.arguments.keywords.items() if not key.startswith("_")}
    partial_here = call.reader.plain(call.get("_partial_")) is True
    return build(call, config, call.arguments.positional[1:], extra, partial_here, 0)


def build(call: LibraryCall, config: Value | None, positional: list[Value], extra: dict[str, Value], partial_here: bool, depth: int) -> Value:
    """The object that a mapping with `_target_` describes."""
    if isinstance(config, Sequence):
        from advisor.read.python.values import sequence

        return sequence([build(call, item, [], {}, False, depth + 1) for item in config.items], config.kind, config.exact)
    if not isinstance(config, Mapping):
        given = [*positional, *extra.values()]
        if call.reader.tracked(given):
            call.reader.escape(given, "instantiate", call.node)
        return Opaque("an object that Hydra builds")
    target = config.items.get("_target_")
    if not isinstance(target, Constant) or not isinstance(target.value, str):
        return attributed(
            mapping(
                {
                    key: build(call, value, [], {}, False, depth + 1) if isinstance(value, Mapping) and depth < 8 else value
                    for key, value in config.items.items()
                },
                config.exact,
            )
        )
    arguments = {
        str(key): build(call, value, [], {}, False, depth + 1) if isinstance(value, (Mapping, Sequence)) and depth < 8 else value
        for key, value in config.items.items()
        if not str(key).startswith("_")
    }
    arguments.update(extra)
    is_partial = partial_here or call.reader.plain(config.items.get("_partial_")) is True
    callee = located(call.reader, target.value, call.node)
    if is_partial:
        return Partial(callee, list(positional), arguments, config.exact)
    return call.reader.call(callee, Arguments(list(positional), arguments, config.exact), call.node)


def located(reader: Reader, name: str, node: Any) -> Value:
    """The function or class that a dotted name means, in the project or a library."""
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        path = reader.project.find(".".join(parts[:size]), reader.entry.path)
        if path is not None:
            value = reader.import_module(".".join(parts[:size]), node)
            for part in parts[size:]:
                value = reader.attribute(value, part, node)
            return value
    table.load(name)
    return Library(table.canonical(name))


@table.function("hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object")
def get_class(call: LibraryCall) -> Value:
    """get_class("package.Class")"""
    name = call.reader.plain(call.get("path", 0))
    return located(call.reader, name, call.node) if isinstance(name, str) else Opaque("a class by its name")


@table.function("hydra.utils.to_absolute_path")
def absolute(call: LibraryCall) -> Value:
    """The path itself."""
    return call.arguments.positional[0] if call.arguments.positional else Opaque("a path", "str")
