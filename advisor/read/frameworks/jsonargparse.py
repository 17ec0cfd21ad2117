"""jsonargparse: objects from `class_path` and `init_args`, and the config and overrides that a command line gives.

Its CLI is read in tyro.py, its parsers in argparse.py.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from advisor.model.source import Link
from advisor.read.config import tree
from advisor.read.frameworks import argparse, launched, table, tyro
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.importlib import object_named
from advisor.read.frameworks.omegaconf import merged
from advisor.read.frameworks.yaml import read_text
from advisor.read.python import classes
from advisor.read.python.frames import Frame
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Class, Constant, Function, Mapping, Opaque, Partial, Sequence, Value, mapping, sequence

LONGEST_CHAIN = 8
_CONFIG_FLAGS = ("-c", "--config", "--cfg", "--config_file", "--conf")


# --- objects -----------------------------------------------------------------------------------------------------


def built(reader: Reader, value: Value, node: ast.AST, partial: bool = False, depth: int = 0) -> Value:
    """What a value of a config makes: the object of a `class_path`, its parts first; anything else as it is."""
    if depth > LONGEST_CHAIN:
        return value
    if isinstance(value, Sequence) and value.kind in ("list", "tuple"):
        return sequence([built(reader, item, node, depth=depth + 1) for item in value.items], value.kind, value.exact)
    if not isinstance(value, Mapping):
        return value
    name = text_of(value.items.get("class_path"))
    if name is None:
        return Mapping({**value.state, "items": {key: built(reader, item, node, depth=depth + 1) for key, item in value.items.items()}}, value.place)
    kind = object_named(reader, name if "." in name else f"torch.optim.{name}", node)
    given = keywords_of(value)
    if isinstance(kind, Class):
        keywords = fitting(reader, kind, given, node, depth)
    else:
        keywords = {key: built(reader, item, node, depth=depth + 1) for key, item in given.items()}
    if isinstance(kind, Opaque):
        return Opaque(f"`{name}` of a config could not be found")
    return Partial(kind, [], keywords) if partial else reader.call(kind, Arguments([], keywords, value.exact, value.place), node)


def keywords_of(section: Value | None) -> dict[str, Value]:
    """The arguments that a section of a config gives: its `init_args` where it names a class."""
    if not isinstance(section, Mapping):
        return {}
    inner = section.items.get("init_args") if "class_path" in section.items else section
    return {str(key): value for key, value in inner.items.items()} if isinstance(inner, Mapping) else {}


def fitting(reader: Reader, kind: Class, given: dict[str, Value], node: ast.AST, depth: int = 0) -> dict[str, Value]:
    """The settings as the constructor's annotations ask for them: dataclasses from mappings, callables left uncalled."""
    init = classes.class_lookup(reader, kind, "__init__")
    annotations: dict[str, tuple[ast.expr | None, Class]] = {}
    if isinstance(init, Function):
        spec = init.node.args
        annotations = {part.arg: (part.annotation, init.owner or kind) for part in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
    elif kind.dataclass:
        annotations = {name: (statement.annotation, owner) for name, _, statement, owner in classes.fields_of(reader, kind)}
    result: dict[str, Value] = {}
    for key, value in given.items():
        annotation, owner = annotations.get(key, (None, kind))
        text = ast.unparse(annotation) if annotation is not None else ""
        later = "Callable" in text or text.endswith(("OptimizerCallable", "LRSchedulerCallable"))
        wanted = _class_in(reader, annotation, owner) if isinstance(value, Mapping) and "class_path" not in value.items else None
        if wanted is not None and isinstance(value, Mapping):
            inner = fitting(reader, wanted, keywords_of(value), node, depth + 1)
            result[key] = reader.call(wanted, Arguments([], inner, value.exact, value.place), node)
        elif later and isinstance(value, Constant) and isinstance(value.value, str) and "." in value.value:
            result[key] = object_named(reader, value.value, node)
        else:
            result[key] = built(reader, value, node, partial=later, depth=depth + 1)
    return result


def _class_in(reader: Reader, annotation: ast.expr | None, owner: Class) -> Class | None:
    """The project class that an annotation names, also inside Optional or a union."""
    if annotation is None:
        return None
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return None
    outer = reader.frame
    reader.frame = Frame(owner.module, owner.module.namespace)
    try:
        for part in ast.walk(annotation):
            if isinstance(part, (ast.Name, ast.Attribute)):
                found = reader.evaluate(part)
                if isinstance(found, Class):
                    return found
    finally:
        reader.frame = outer
    return None


# --- the command line --------------------------------------------------------------------------------------------


def dotted(key: str, value: Value) -> Value:
    """`a.b` with a value as nested mappings."""
    for part in reversed(key.split(".")):
        value = mapping({part: value})
    return value


def started_with(reader: Reader, commands: Collection[str] = (), wanted: str | None = None) -> Value | None:
    """The config of the first command line that names one, with what the line overrides; None when no line is known.

    `commands` are the program's subcommands, of which a line may give none or `wanted`.
    """
    if reader.entry_arguments is not None:
        words = [Constant(word) for word in reader.entry_arguments]
        return _read(reader, words, False, wanted)
    for line, words in launched.command_lines(reader):
        command = next((word.value for word in words if word.value in commands), wanted)
        if command == wanted and any(launched.is_config(reader, word.value) for word in words):
            return _read(reader, words, line.documented, wanted)
    return None


def _read(reader: Reader, words: list[Constant], documented: bool, command: str | None) -> Value:
    config: Value = mapping({})
    index = 0
    while index < len(words):
        text = words[index].value
        index += 1
        if not isinstance(text, str) or not text.startswith("-"):
            continue
        flag, equals, rest = text.partition("=")
        if equals:
            given = Constant(rest, (), True, words[index - 1].place)
        elif index < len(words) and isinstance(words[index].value, str) and not str(words[index].value).startswith("--"):
            given = words[index]
            index += 1
        else:
            continue
        name = flag.lstrip("-")
        if launched.is_config(reader, given.value):
            found = reader.open_text(str(given.value))
            if found is not None:
                inner = read_text(reader, found[1], found[0], typed=True, weak=True)
                config = merged(config, of_command(inner, command) if flag in _CONFIG_FLAGS else dotted(name, inner))
        elif not documented and flag not in _CONFIG_FLAGS and given.value is not None:
            config = merged(config, dotted(name, _scalar(given, flag)))
    return config


def of_command(config: Value, command: str | None) -> Value:
    """The part of a config that belongs to a subcommand; the whole where it has no such parts."""
    inner = config.items.get(command) if isinstance(config, Mapping) and command is not None else None
    return inner if isinstance(inner, Mapping) else config


def _scalar(word: Constant, flag: str) -> Value:
    """A word as YAML reads it."""
    node = tree.load(str(word.value), "words.yaml")
    typed = node.typed if isinstance(node, tree.Scalar) else word.value
    place = word.place
    link = (Link(place.file, place.line, f"{flag} {word.value}"),) if place is not None else ()
    return Constant(typed, link, True, place)


table.VERSIONS.setdefault("jsonargparse", "jsonargparse 4")

__all__ = ["argparse", "built", "dotted", "fitting", "keywords_of", "of_command", "started_with", "tyro"]
