"""argparse: options with their defaults, weak because the command line may override them."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from advisor.model.recipe import Hyperparameter
from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Constant,
    Function,
    Instance,
    Library,
    Opaque,
    Sequence,
    Union,
    Value,
    join,
    sequence,
    setting,
)

PARSERS = (
    "argparse.ArgumentParser",
    "configargparse.ArgumentParser",
    "configargparse.ArgParser",
    "jsonargparse.ArgumentParser",
    "configargparse.get_argument_parser",
)
for _name in PARSERS:
    table.CLASS_ROLES[_name] = "argument-parser"


@table.function(*PARSERS)
def parser(call: LibraryCall) -> Value:
    """A parser; `parents` bring their options."""
    instance = call.reader.instance("argparse.ArgumentParser", role="argument-parser", node=call.node)
    setup(call, instance)
    return instance


@table.method("argument-parser", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__() of a parser class of the project."""
    setup(call, call.this)
    return NONE


def setup(call: LibraryCall, instance: Instance) -> None:
    """An empty table of options, with those of the parents."""
    options: dict[str, Value] = {}
    parents = call.get("parents")
    for parent in parents.items if isinstance(parents, Sequence) else ():
        if isinstance(parent, Instance):
            options.update(parent.data.get("options", {}))
    call.reader.store.write(instance.data, "options", options)
    call.reader.store.write(instance.data, "exact", True)


@table.method("argument-parser", "add_argument_group", "add_mutually_exclusive_group")
def group(call: LibraryCall) -> Value:
    """A group writes to its parser."""
    return call.this


@table.method("argument-parser", "add_subparsers")
def subparsers(call: LibraryCall) -> Value:
    """Commands: each parser's options join the namespace."""
    dest = call.get("dest")
    if isinstance(dest, Constant):
        _write(call.reader, call.this, str(dest.value), Opaque("the command chosen", "str"))
    return call.reader.instance("argparse.subparsers", role="subparsers", node=call.node, data={"of": call.this})


@table.method("subparsers", "add_parser")
def add_parser(call: LibraryCall) -> Value:
    """One command: written into the same table (its values hold only when it is chosen)."""
    return call.this.data["of"]  # type: ignore[no-any-return]


def _write(reader: Reader, instance: Instance, dest: str, value: Value) -> None:
    reader.store.write(instance.data, "options", {**instance.data.get("options", {}), dest: value})


def _converted(kind: Value | None, value: Value) -> Value:
    """A text default is converted by `type`; other defaults are kept as they are."""
    if not isinstance(value, Constant) or not isinstance(value.value, str) or not isinstance(kind, Library):
        return value
    convert: Any = {"builtins.int": int, "builtins.float": float, "builtins.str": str}.get(kind.name)
    if convert is None:
        return value
    try:
        return replace(value, value=convert(value.value))
    except ValueError:
        return value


@table.method("argument-parser", "add_argument", "add", "add_arg")
def add_argument(call: LibraryCall) -> Value:
    """parser.add_argument("--lr", type=float, default=0.1)"""
    reader = call.reader
    names = [value.value for value in call.arguments.positional if isinstance(value, Constant) and isinstance(value.value, str)]
    if not names:
        reader.store.write(call.this.data, "exact", False)
        return NONE
    given_dest = reader.plain(call.get("dest"))
    flag = next((name for name in names if name.startswith("--")), names[0])
    dest = given_dest if isinstance(given_dest, str) else flag.lstrip("-").replace("-", "_")
    action = reader.plain(call.get("action"))
    default = call.get("default")
    place = reader.argument_place(call.node, "default")
    link = Link(place.file, place.line, f"{flag} default")
    required = not flag.startswith("-") and reader.plain(call.get("nargs")) not in ("?", "*")
    value: Value
    if action == "store_true":
        value = default if default is not None else Constant(False, place=call.place)
    elif action == "store_false":
        value = default if default is not None else Constant(True, place=call.place)
    elif default is None or (required and default is None):
        needed = required or reader.plain(call.get("required")) is True
        value = Opaque(f"the argument {flag} has no default") if needed else Constant(None, place=call.place)
    else:
        value = default
    value = weaken(_converted(call.get("type"), value), link)
    _write(reader, call.this, dest, value)
    fact = Hyperparameter(call.place, name=dest, value=setting(value), declared="argparse")
    reader.recipe.hyperparameters.items.append(fact)
    return reader.instance("argparse.Action", role="action", attributes={"dest": Constant(dest)})


def weaken(value: Value, link: Link) -> Value:
    """A default that the user may override, with the option as a link of its chain."""
    if isinstance(value, Constant):
        origin = tuple(step for step in value.origin if step.line != link.line or step.file != link.file)
        return Constant(value.value, (link, *origin), True, value.place)
    if isinstance(value, Union):
        return Union(tuple(weaken(member, link) for member in value.members), value.when)
    if isinstance(value, Sequence):
        return sequence([weaken(item, link) for item in value.items], value.kind, value.exact)
    return value


@table.method("argument-parser", "set_defaults")
def set_defaults(call: LibraryCall) -> Value:
    """parser.set_defaults(func=train, lr=0.1)"""
    held = dict(call.this.data.get("options", {}))
    for key, value in call.arguments.keywords.items():
        place = call.reader.argument_place(call.node, key)
        new = weaken(value, Link(place.file, place.line, f"set_defaults({key}=...)"))
        held[key] = join([held[key], new]) if isinstance(held.get(key), Function) else new
    call.reader.store.write(call.this.data, "options", held)
    return NONE


def _read(text: str, old: Value) -> Value:
    kind = type(old.value) if isinstance(old, Constant) and old.value is not None else None
    if kind in (int, float):
        try:
            return Constant(kind(text))
        except ValueError:
            return Opaque("a command-line value")
    if kind is bool:
        return Constant(True)
    try:
        number = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return Constant(text)
    return Constant(number) if isinstance(number, (int, float, str)) else Constant(text)


def namespace(call: LibraryCall) -> Instance:
    """The object that parse_args gives."""
    options = dict(call.this.data.get("options", {}))
    given = call.get("args", 0)
    words: list[str] | None = call.reader.entry_arguments
    if isinstance(given, Sequence) and given.exact:
        plain = [call.reader.plain(item) for item in given.items]
        words = [str(word) for word in plain] if all(word is not Opaque for word in plain) else words
    index = 0
    while words and index < len(words):
        word = words[index]
        index += 1
        if not word.startswith("--"):
            continue
        name, _, text = word[2:].partition("=")
        dest = name.replace("-", "_")
        old = options.get(dest)
        if not text and index < len(words) and not words[index].startswith("--") and not (isinstance(old, Constant) and isinstance(old.value, bool)):
            text = words[index]
            index += 1
        if old is not None:
            options[dest] = _read(text or "True", old)
    data = {} if call.this.data.get("exact", True) else {"inexact": True}
    return call.reader.instance("argparse.Namespace", role="namespace", node=call.node, attributes=options, data=data)


@table.method("argument-parser", "parse_args", "parse_intermixed_args")
def parse_args(call: LibraryCall) -> Value:
    """args = parser.parse_args()"""
    return namespace(call)


@table.method("argument-parser", "parse_known_args")
def parse_known_args(call: LibraryCall) -> Value:
    """args, rest = parser.parse_known_args()"""
    return sequence([namespace(call), Opaque("the remaining arguments", "list")], "tuple")


@table.method("argument-parser", "get_default")
def get_default(call: LibraryCall) -> Value:
    """parser.get_default("lr")"""
    key = call.reader.plain(call.get("dest", 0))
    found = call.this.data.get("options", {}).get(key)
    return found if found is not None else NONE


@table.method(
    "argument-parser", "print_help", "error", "exit", "format_help", "print_usage", "register", "add_config_arguments", "convert_arg_line_to_args"
)
def quiet(call: LibraryCall) -> Value:
    """Messages."""
    return NONE


@table.function("argparse.Namespace")
def make_namespace(call: LibraryCall) -> Value:
    """Namespace(lr=0.1, **kwargs)"""
    return call.reader.instance(
        "argparse.Namespace",
        role="namespace",
        node=call.node,
        attributes=dict(call.arguments.keywords),
        data={} if call.arguments.exact else {"inexact": True},
    )


@table.method("namespace", "__contains__", "_get_kwargs", "__setattr__")
def namespace_method(call: LibraryCall) -> Value:
    """Rare methods of the namespace."""
    return Opaque("a property of the arguments")
