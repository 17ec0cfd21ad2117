"""OmegaConf: configs read with YAML 1.2 numbers, merged, readable by attribute; interpolation of known keys."""

from __future__ import annotations

from typing import Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.read.config import tree
from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.yaml import load_config, value_of_node
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Union,
    Value,
    join,
    mapping,
    sequence,
)

LONGEST_CHAIN = 8
_WHOLE = pattern(r"^\$\{([\w.]+)\}$")
_PART = pattern(r"\$\{([\w.]+)\}")


def interpolated(root: Value) -> Value:
    """The config with `${a.b}` of known keys replaced; what cannot be followed is unknown."""
    return _resolved(root, root, (), 0)


def _resolved(value: Value, root: Value, path: tuple[str, ...], depth: int) -> Value:
    if isinstance(value, Mapping) and depth < 12:
        items = {key: _resolved(item, root, (*path, str(key)), depth + 1) for key, item in value.items.items()}
        return Mapping({**value.state, "items": items}, value.place)
    if isinstance(value, Sequence) and value.kind in ("list", "tuple") and depth < 12:
        items_listed = tuple(_resolved(item, root, (*path, str(index)), depth + 1) for index, item in enumerate(value.items))
        return Sequence(value.kind, {**value.state, "items": items_listed})
    return _followed(value, root, path, 0)


def _text(value: Value) -> str | None:
    """The text of a value that holds an interpolation."""
    if isinstance(value, Constant) and isinstance(value.value, str) and "${" in value.value:
        return value.value
    if isinstance(value, Opaque) and value.why.startswith("the interpolation "):
        return value.why.removeprefix("the interpolation ")
    return None


def _followed(value: Value, root: Value, path: tuple[str, ...], depth: int) -> Value:
    text = _text(value)
    if text is None:
        return value
    unknown = Opaque(f"the interpolation {text}"[:120])
    whole = _WHOLE.match(text)
    if whole is not None:
        return _named(whole.group(1), root, path, depth) or unknown
    parts: list[str] = []
    end = 0
    for match in _PART.finditer(text):
        found = _named(match.group(1), root, path, depth)
        if not isinstance(found, Constant):
            return unknown
        parts += [text[end : match.start()], str(found.value)]
        end = match.end()
    built = "".join([*parts, text[end:]])
    if "${" in built:
        return unknown
    return Constant(built, value.origin, value.weak, value.place) if isinstance(value, Constant) else Constant(built)


def _named(reference: str, root: Value, path: tuple[str, ...], depth: int) -> Value | None:
    if depth > LONGEST_CHAIN:
        return None
    dots = len(reference) - len(reference.lstrip("."))
    steps = [*(path[:-dots] if dots else ()), *(part for part in reference.lstrip(".").split(".") if part)]
    found: Value | None = root
    for step in steps:
        if isinstance(found, Mapping):
            found = found.items.get(step)
        elif isinstance(found, Sequence) and step.isdigit() and int(step) < len(found.items):
            found = found.items[int(step)]
        else:
            return None
    return _followed(found, root, tuple(steps), depth + 1) if found is not None else None


def structured(reader: Reader, value: Value, call: LibraryCall) -> Value:
    """A dataclass, or an object of one, as a config."""
    if isinstance(value, Class):
        value = reader.call(value, Arguments(), call.node)
    if isinstance(value, Instance) and value.cls is not None:
        return mapping({key: structured(reader, item, call) for key, item in value.attributes.items() if not key.startswith("<")})
    return value


@table.function("omegaconf.OmegaConf.load")
def load(call: LibraryCall) -> Value:
    """OmegaConf.load(path)"""
    return attributed(interpolated(load_config(call, call.get("file_", 0), typed=True)))


@table.function("omegaconf.OmegaConf.create", "omegaconf.OmegaConf.structured", "omegaconf.DictConfig", "omegaconf.ListConfig")
def create(call: LibraryCall) -> Value:
    """OmegaConf.create({...})"""
    value = call.get("obj", 0) or call.get("content", 0)
    if value is None:
        return attributed(mapping({}))
    if isinstance(value, Constant) and isinstance(value.value, str):
        root = tree.load(value.value, call.place.file + ".yaml")
        value = value_of_node(root, "", typed=True) if root is not None and not isinstance(root, Broken) else mapping({})
    if isinstance(value, Union):
        return join([attributed(interpolated(structured(call.reader, member, call))) for member in value.members], value.when)
    return attributed(interpolated(structured(call.reader, value, call)))


@table.function("omegaconf.OmegaConf.merge", "omegaconf.OmegaConf.unsafe_merge")
def merge(call: LibraryCall) -> Value:
    """OmegaConf.merge(a, b)"""
    result: Value = mapping({})
    for value in call.arguments.positional:
        result = merged(result, structured(call.reader, value, call))
    if not call.arguments.exact and isinstance(result, Mapping):
        result = Mapping({**result.state, "exact": False}, result.place)
    return attributed(interpolated(result))


def merged(under: Value, over: Value) -> Value:
    """A config with another over it; one that could not be read may change anything, so what is known becomes a default."""
    if isinstance(over, Instance) and over.attributes:
        over = mapping({key: value for key, value in over.attributes.items() if not key.startswith("<")})
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        items = dict(under.items)
        for key, value in over.items.items():
            items[key] = merged(items[key], value) if key in items and isinstance(value, Mapping) else value
        return Mapping({**under.state, "items": items, "exact": under.exact and over.exact}, over.place or under.place)
    if isinstance(under, Mapping) and isinstance(over, Union):
        return join([merged(under, member) for member in over.members], over.when)
    if isinstance(under, Mapping) and isinstance(over, Constant) and over.value is None:
        return under
    if isinstance(under, Mapping) and not isinstance(over, (Constant, Sequence)):
        from advisor.read.frameworks.folding import weaken

        weak = weaken(under)
        return Mapping({**weak.state, "exact": False}, under.place) if isinstance(weak, Mapping) else weak
    return over


@table.function("omegaconf.OmegaConf.from_cli")
def from_cli(call: LibraryCall) -> Value:
    """What the command line gives: nothing by default."""
    words = call.reader.entry_arguments or []
    return attributed(dotted([word for word in words if "=" in word], call))


@table.function("omegaconf.OmegaConf.from_dotlist")
def from_dotlist(call: LibraryCall) -> Value:
    """OmegaConf.from_dotlist(["optim.lr=0.1"])"""
    words = call.reader.plain(call.get("dotlist", 0))
    if not isinstance(words, (list, tuple)):
        return attributed(mapping({}, exact=False))
    return attributed(dotted([str(word) for word in words], call))


def dotted(words: list[str], call: LibraryCall) -> Value:
    """`a.b=1` words as a config."""
    result: Value = mapping({})
    for word in words:
        key, _, text = word.lstrip("-+").partition("=")
        node = tree.load(text, call.place.file + ".yaml")
        found = getattr(node, "typed", None) if isinstance(node, tree.Scalar) else tree.plain(node, True) if isinstance(node, tree.Listed) else text
        from advisor.read.frameworks.folding import as_value

        value = as_value(found, place=call.place)
        for part in reversed(key.split(".")):
            value = mapping({part: value})
        result = merged(result, value)
    return result


@table.function("omegaconf.OmegaConf.to_container", "omegaconf.OmegaConf.to_object", "omegaconf.OmegaConf.masked_copy")
def to_container(call: LibraryCall) -> Value:
    """The plain dict."""
    value = call.get("cfg", 0)
    return _plain_dict(value) if value is not None else Opaque("a config", "dict")


def _plain_dict(value: Value) -> Value:
    if isinstance(value, Mapping):
        return mapping({key: _plain_dict(item) for key, item in value.items.items()}, value.exact, value.place)
    if isinstance(value, Sequence) and value.kind in ("list", "tuple"):
        return sequence([_plain_dict(item) for item in value.items], value.kind, value.exact)
    return value


@table.function("omegaconf.OmegaConf.select")
def select(call: LibraryCall) -> Value:
    """OmegaConf.select(cfg, "a.b")"""
    value, key = call.get("cfg", 0), text_of(call.get("key", 1))
    known = key is not None
    for part in key.split(".") if key is not None else ():
        known = isinstance(value, Mapping) and (part in value.items or value.exact)
        value = value.items.get(part) if isinstance(value, Mapping) else None
    if value is not None and key is not None:
        return value
    return (call.get("default") or NONE) if known else Opaque("a key of a config")


@table.function("omegaconf.OmegaConf.update")
def update(call: LibraryCall) -> Value:
    """OmegaConf.update(cfg, "a.b", value)"""
    owner, key, value = call.get("cfg", 0), text_of(call.get("key", 1)), call.get("value", 2)
    if key is None or value is None:
        return NONE
    *parts, last = key.split(".")
    for part in parts:
        owner = owner.items.get(part) if isinstance(owner, Mapping) else None
    if isinstance(owner, Mapping):
        call.reader.store.write(owner.state, "items", {**owner.items, last: attributed(value)})
    return NONE


@table.prefix("omegaconf.OmegaConf")
def other(call: LibraryCall) -> Value:
    """set_struct, to_yaml, register_new_resolver, ..."""
    return (
        Opaque(f"result of `{call.name}`") if call.name.endswith(("to_yaml", "is_missing", "is_config", "is_dict", "is_list", "is_struct")) else NONE
    )


@table.function("omegaconf.open_dict", "omegaconf.read_write", "omegaconf.flag_override")
def opened(call: LibraryCall) -> Value:
    """with open_dict(cfg):"""
    return call.reader.instance("omegaconf.open_dict", role="context", node=call.node)


@table.enter("omegaconf.open_dict")
def enter(reader: Reader, instance: Any, node: Any) -> Entered:
    """No region."""
    return Entered()
