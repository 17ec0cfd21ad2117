"""Hydra: the composed config is what `hydra.main` passes; `instantiate` calls what `_target_` names."""

from __future__ import annotations

import ast
import os
from typing import Any
from weakref import WeakKeyDictionary

from advisor.model.record import dataclass, field
from advisor.read.config import hydra as composition
from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.folding import text_of, weaken
from advisor.read.frameworks.importlib import object_named
from advisor.read.frameworks.omegaconf import merged
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.yaml import value_of_node
from advisor.read.python import keys
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Union,
    Value,
    join,
    mapping,
    sequence,
)

table.VERSIONS["hydra"] = "Hydra 1.3"
_FOLDERS: WeakKeyDictionary[Reader, str] = WeakKeyDictionary()  # what initialize() was given
_STORED: WeakKeyDictionary[Reader, dict[tuple[str, str], Value]] = WeakKeyDictionary()  # ConfigStore: (group, name) -> node
_OWN = ("_target_", "_partial_", "_recursive_", "_convert_", "_args_")


# --- the composed config -----------------------------------------------------------------------------------------


def composed(reader: Reader, folder: str | None, name: str | None, overrides: list[str], node: ast.AST) -> Value:
    """The config as a value: every setting weak, because the command line may override it."""
    if name is None:
        return attributed(mapping({}, exact=False))
    stored = _STORED.get(reader, {})
    result: Value = mapping({})
    if folder is not None:
        found = composition.compose(reader.project, folder, name, overrides)
        found = _with_joined(reader, folder, name, overrides, found)
        reader.recipe.duplicate_keys.items += [key for key in found.duplicates if key.place.file not in reader.recipe.files]
        reader.recipe.files += [file for file in found.files if file not in reader.recipe.files]
        known = {broken.place.file for broken in reader.recipe.broken}
        reader.recipe.broken += [broken for broken in found.broken if broken.place.file not in known]
        schemas = [(group, choice, package) for group, choice, package in found.missing]
        if found.root is not None:
            keys.declare(reader, found.root)
            keys.declare_objects(reader, found.root, next(iter(found.files), found.root.place.file))
            result = value_of_node(found.root, "", typed=True, weak=True)
    else:
        schemas = [("", name, "")]
    for group, choice, package in schemas:
        schema = stored.get((group, choice)) or stored.get((group, choice.removesuffix(".yaml")))
        if schema is None:
            reader.unread(f"the config {group + '/' if group else ''}{choice} of Hydra was not found", node)
            inside: Value = mapping({}, exact=False)
            for part in reversed([part for part in package.split(".") if part]):
                inside = mapping({part: inside})
            result = merged(result, inside)
            continue
        inner = structured(reader, schema, node)
        for part in reversed([part for part in package.split(".") if part]):
            inner = mapping({part: inner})
        result = merged(inner, result)
    return attributed(_mandatory(result))


def _with_joined(reader: Reader, folder: str, name: str, overrides: list[str], found: composition.Composition) -> composition.Composition:
    """The composition with the config that was joined with the program: as the primary config, or as the choice of its group."""
    joined = reader.config
    if joined is None or joined[0] in found.files:
        return found
    path = os.path.join(reader.project.directory, joined[0])
    if not path.startswith(folder + os.sep):
        return found
    group, _, choice = os.path.relpath(path, folder).replace(os.sep, "/").rpartition("/")
    choice = os.path.splitext(choice)[0]
    if not group:
        return composition.compose(reader.project, folder, choice, overrides)
    return composition.compose(reader.project, folder, name, [*overrides, f"+{group}={choice}"])


def _inside(reader: Reader, folder: str) -> bool:
    """True when the joined config lies in the folder of the configs."""
    return reader.config is not None and os.path.join(reader.project.directory, reader.config[0]).startswith(folder + os.sep)


def _mandatory(value: Value) -> Value:
    """`???` has to be given when the program is started."""
    if isinstance(value, Mapping):
        return Mapping({**value.state, "items": {key: _mandatory(item) for key, item in value.items.items()}}, value.place)
    if isinstance(value, Constant) and value.value == "???":
        return Opaque("a mandatory setting that the config does not give")
    return value


def structured(reader: Reader, value: Value, node: ast.AST) -> Value:
    """A dataclass (or an object of one) as a config, with weak defaults."""
    if isinstance(value, Class):
        value = reader.call(value, Arguments(), node)
    if isinstance(value, Instance) and value.cls is not None:
        return mapping({key: structured(reader, item, node) for key, item in value.attributes.items() if not key.startswith("<")})
    if isinstance(value, Mapping):
        return Mapping({**value.state, "items": {key: structured(reader, item, node) for key, item in value.items.items()}}, value.place)
    return weaken(value)


def _folder(reader: Reader, path: str | None, base: str) -> str | None:
    if path is None or "://" in path:
        return None
    for root in (os.path.dirname(base), reader.project.directory):
        full = os.path.normpath(os.path.join(root, path))
        if os.path.isdir(full) or any(name.startswith(full) for name in reader.project.overlay):
            return full
    return None


_OPTIONS = {"--config-path": "path", "-cp": "path", "--config-dir": "path", "-cd": "path", "--config-name": "name", "-cn": "name"}


@dataclass(slots=True)
class CommandLine:
    """What the command line says to Hydra: where the config is, which one, and what is overridden."""

    path: str | None = None
    name: str | None = None
    overrides: list[str] = field(default_factory=list)


def _command_line(reader: Reader) -> CommandLine:
    """The first line decides which config; of overrides those count that every script gives alike."""
    if reader.entry_arguments is not None:
        return _said(reader.entry_arguments)
    lines = [(line.documented, _said([word.text or "" for word in line.words])) for line in reader.launches]
    result = CommandLine()
    for _, said in lines:
        if result.path is None and result.name is None and (said.path is not None or said.name is not None):
            result.path, result.name = said.path, said.name
    scripts = [said for documented, said in lines if not documented]
    result.overrides = [word for word in scripts[0].overrides if all(word in said.overrides for said in scripts)] if scripts else []
    return result


def _said(words: list[str]) -> CommandLine:
    found = CommandLine()
    index = 0
    while index < len(words):
        key, equals, rest = words[index].partition("=")
        index += 1
        option = _OPTIONS.get(key)
        if option is not None:
            if not equals and index < len(words):
                rest = words[index]
                index += 1
            setattr(found, option, rest.strip("'\""))
        elif equals and not key.startswith("-"):
            found.overrides.append(f"{key}={rest}")
    return found


@table.decorator("hydra.main")
def main(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@hydra.main(config_path="conf", config_name="config")"""
    if not isinstance(value, Function):
        return value
    parameters = [*value.node.args.posonlyargs, *value.node.args.args]
    if parameters:
        path = text_of(call.get("config_path", 0)) if call is not None else None
        name = text_of(call.get("config_name", 1)) if call is not None else None
        path = path.replace("\\", "/") if path is not None else None  # as written on Windows
        if name is None and path is not None and path.endswith((".yaml", ".yml")):  # Hydra 0.x: the file itself
            path, _, name = path.rpartition("/")
        said = _command_line(reader)
        name = said.name or name
        base = value.module.path
        folder = _folder(reader, said.path or (path if path is not None else "."), base) if name is not None else None
        if reader.config is not None and (folder is None or not _inside(reader, folder)) and reader.config[0].endswith((".yaml", ".yml")):
            joined = os.path.join(reader.project.directory, reader.config[0])
            folder, name = os.path.dirname(joined), os.path.basename(joined)
        value.injected[parameters[0].arg] = composed(reader, folder, name, said.overrides, value.node)
    return value


@table.function("hydra.main")
def main_called(call: LibraryCall) -> Value:
    """hydra.main(...)(f)"""
    return Partial(Library("hydra.main.wrapped"), [], dict(call.arguments.keywords))


@table.function("hydra.main.wrapped")
def main_wrapped(call: LibraryCall) -> Value:
    """The function with its config."""
    value = call.arguments.positional[0] if call.arguments.positional else Opaque("a function")
    result: Value = main(call.reader, value, call if "config_name" in call.arguments.keywords else None)
    return result


@table.function("hydra.initialize", "hydra.initialize_config_dir", "hydra.experimental.initialize")
def initialize(call: LibraryCall) -> Value:
    """initialize(config_path="conf")"""
    path = text_of(call.get("config_path", 0) or call.get("config_dir", 0))
    folder = _folder(call.reader, path, call.reader.frame.module.path)
    if folder is not None:
        _FOLDERS[call.reader] = folder
    return call.reader.instance("hydra.initialize", role="hydra-context", node=call.node)


@table.enter("hydra-context")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with initialize(...)"""
    return Entered()


@table.function("hydra.compose", "hydra.experimental.compose")
def compose(call: LibraryCall) -> Value:
    """compose(config_name="config", overrides=["optim=adam"])"""
    words = call.reader.plain(call.get("overrides", 1))
    overrides = [str(word) for word in words] if isinstance(words, list) else []
    return composed(call.reader, _FOLDERS.get(call.reader), text_of(call.get("config_name", 0)), overrides, call.node)


@table.function("hydra.core.config_store.ConfigStore.instance", "hydra.core.config_store.ConfigStore")
def store(call: LibraryCall) -> Value:
    """ConfigStore.instance()"""
    return call.reader.instance("hydra.ConfigStore", role="config-store", node=call.node)


@table.method("config-store", "store")
def store_node(call: LibraryCall) -> Value:
    """cs.store(name="config", node=Config, group="optim")"""
    name, group, value = text_of(call.get("name", 0)), text_of(call.get("group", 2)) or "", call.get("node", 1)
    if name is not None and value is not None:
        _STORED.setdefault(call.reader, {})[group, name.removesuffix(".yaml")] = value
    return NONE


# --- instantiate -------------------------------------------------------------------------------------------------


@table.function("hydra.utils.instantiate", "hydra.utils.call", "hydra._internal.instantiate._instantiate2.instantiate")
def instantiate(call: LibraryCall) -> Value | None:
    """instantiate(cfg.optimizer, params=model.parameters())"""
    config = call.get("config", 0)
    rest = Arguments(call.arguments.positional[1:], {k: v for k, v in call.arguments.keywords.items() if k != "config"}, call.arguments.exact)
    if config is None or isinstance(config, Opaque):
        return None
    return build(call.reader, config, rest, call.node)


def build(reader: Reader, config: Value, given: Arguments, node: ast.AST, depth: int = 0) -> Value:
    """What a config with `_target_` makes, its parts made first."""
    if isinstance(config, Union):
        return join([build(reader, member, given, node, depth) for member in config.members], config.when)
    if isinstance(config, Sequence) and depth < 8:
        return sequence([build(reader, item, Arguments(), node, depth + 1) for item in config.items], config.kind, config.exact)
    if not isinstance(config, Mapping) or depth > 8:
        return config
    keywords = {str(key): value for key, value in config.items.items() if key not in _OWN}
    for key, value in given.keywords.items():
        keywords[key] = merged(keywords[key], value) if isinstance(keywords.get(key), Mapping) and isinstance(value, Mapping) else value
    flags = {key: reader.plain(config.items.get(key, given.keywords.get(key))) for key in ("_partial_", "_recursive_")}
    keywords = {key: value for key, value in keywords.items() if key not in _OWN}
    target = given.keywords.get("_target_") or config.items.get("_target_")
    if flags["_recursive_"] is not False:
        keywords = {key: build(reader, value, Arguments(), node, depth + 1) for key, value in keywords.items()}
    if target is None:
        return Mapping({**config.state, "items": keywords, "attributes": True}, config.place)
    callee = target if not isinstance(target, Constant) else object_named(reader, str(target.value), node)
    listed = given.keywords.get("_args_") or config.items.get("_args_")
    positional = given.positional or _listed(reader, listed, flags["_recursive_"] is not False, node, depth)
    if flags["_partial_"] is True:
        return Partial(callee, positional, keywords, config.exact and given.exact)
    return reader.call(callee, Arguments(positional, keywords, config.exact and given.exact), node)


def _listed(reader: Reader, given: Value | None, recursive: bool, node: ast.AST, depth: int) -> list[Value]:
    """The arguments by position that a config states, which are made first as all its parts are; those of the call stand in place of them."""
    if not isinstance(given, Sequence):
        return []
    return [build(reader, item, Arguments(), node, depth + 1) for item in given.items] if recursive else [*given.items]


@table.function("hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object", "hydra.utils.get_static_method")
def named(call: LibraryCall) -> Value:
    """get_class("torch.optim.Adam")"""
    text = text_of(call.get("path", 0))
    return object_named(call.reader, text, call.node) if text is not None else Opaque("an object whose name is not known")


@table.function("hydra.utils.to_absolute_path")
def absolute(call: LibraryCall) -> Value:
    """The path, seen from where the program was started."""
    return call.get("path", 0) or Opaque("a path", "str")


@table.function("hydra.utils.get_original_cwd")
def cwd(call: LibraryCall) -> Value:
    """Where the program was started."""
    return Constant(".", weak=True)


@table.prefix("hydra")
def other(call: LibraryCall) -> Value:
    """HydraConfig and its like."""
    return Opaque(f"result of `{call.name}`")


__all__ = ["build", "composed", "structured"]
