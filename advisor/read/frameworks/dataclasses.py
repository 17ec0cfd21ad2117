"""dataclasses: the decorator, fields with factories, asdict and replace, and objects that a command line fills."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from advisor.model.source import Link
from advisor.read.frameworks.table import LibraryCall, decorator, function
from advisor.read.python.classes import class_lookup, default_of, fields_of
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Class, Constant, Function, Instance, Library, Opaque, Sequence, Union, Value, mapping, sequence


@decorator("dataclasses.dataclass", "attr.s", "attr.define", "attrs.define", "attrs.frozen", "attr.dataclass", "chz.chz")
def dataclass(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@dataclass"""
    if isinstance(value, Class):
        value.dataclass = True
    return value


@function("dataclasses.dataclass")
def dataclass_call(call: LibraryCall) -> Value:
    """dataclass(cls)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Class):
        value.dataclass = True
        return value
    return Library("dataclasses.dataclass")


@function("dataclasses.field", "attr.ib", "attrs.field", "pydantic.Field", "chz.field")
def field(call: LibraryCall) -> Value:
    """field(default=..., default_factory=...)"""
    default = call.get("default") or (call.get("default", 0) if not call.name.startswith("dataclasses") else None)
    return call.reader.instance(
        "dataclasses.Field",
        role="field",
        node=call.node,
        data={
            "default": default,
            "factory": call.get("default_factory") or call.get("factory"),
            "option": call.reader.plain(call.get("init")) is not False,
        },
    )


def filled(
    reader: Reader, cls: Class, node: ast.AST, prefix: str = "", held: Instance | None = None, given: Mapping[str, Value] | None = None
) -> Value:
    """An object of a dataclass that a command line fills: its fields have their defaults, each of which a flag may override, or what was `given` for
    them, before its __post_init__ runs. So have the dataclasses in it; one that is `held` as a default brings its own. An object of any other class
    comes as it is made."""
    return reader.call(cls, Arguments([], {**options_of(reader, cls, node, prefix, held), **(given or {})}), node)


def options_of(reader: Reader, cls: Class, node: ast.AST, prefix: str = "", held: Instance | None = None) -> dict[str, Value]:
    """The fields of a dataclass that can be given, with their defaults."""
    options: dict[str, Value] = {}
    if any(isinstance(base, Class) and base.dataclass for base in cls.mro) and not isinstance(class_lookup(reader, cls, "__init__"), Function):
        for name, default, statement, owner in fields_of(reader, cls):
            declared = default.data if isinstance(default, Instance) and default.kind == "dataclasses.Field" else {}
            value = held.attributes.get(name) if held is not None else default
            if value is None or declared.get("option") is False:
                continue
            factory = declared.get("factory")
            if held is None and isinstance(factory, Class) and factory.dataclass:
                options[name] = filled(reader, factory, node, f"{prefix}{name}.")
                continue
            value = default_of(reader, value, name, cls.node)
            if isinstance(value, Instance) and value.cls is not None and value.cls.dataclass:
                options[name] = filled(reader, value.cls, node, f"{prefix}{name}.", value)
                continue
            written = value.place if held is not None and isinstance(value, Constant) else None
            place = written or owner.module.place(statement.value if statement.value is not None else statement)
            options[name] = as_option(value, Link(place.file, place.line, f"--{prefix}{name} default"))
    return options


def as_option(value: Value, link: Link) -> Value:
    """A default that the user may override, with the option as a link of its chain."""
    if isinstance(value, Constant):
        origin = tuple(step for step in value.origin if step.line != link.line or step.file != link.file)
        return Constant(value.value, (link, *origin), True, value.place)
    if isinstance(value, Union):
        return Union(tuple(as_option(member, link) for member in value.members), value.when)
    if isinstance(value, Instance) and value.role == "path" and isinstance(value.data.get("path"), Constant):
        return Instance(value.kind, None, "path", data={**value.data, "path": as_option(value.data["path"], link)})
    if isinstance(value, Sequence) and value.kind not in ("range", "lazy"):
        return sequence([as_option(item, link) for item in value.items], value.kind, value.exact)
    return value


@function("dataclasses.asdict", "dataclasses.astuple", "attr.asdict", "attrs.asdict")
def asdict(call: LibraryCall) -> Value:
    """asdict(config)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Instance):
        return mapping({key: _plain(item) for key, item in value.attributes.items() if not key.startswith("<")})
    return Opaque("a dataclass as a dict", "dict")


def _plain(value: Value) -> Value:
    if isinstance(value, Instance) and value.cls is not None and value.cls.dataclass:
        return mapping({key: _plain(item) for key, item in value.attributes.items()})
    return value


@function("dataclasses.replace")
def replaced(call: LibraryCall) -> Value:
    """replace(config, lr=0.1)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Instance):
        return call.reader.instance(
            value.kind, role=value.role, cls=value.cls, node=call.node, attributes={**value.attributes, **call.arguments.keywords}
        )
    return Opaque("a dataclass")


@function("dataclasses.fields")
def fields(call: LibraryCall) -> Value:
    """fields(config)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Instance):
        return sequence([call.reader.instance("dataclasses.Field", attributes={"name": Constant(key)}) for key in value.attributes], "tuple")
    return Opaque("the fields of a dataclass", "list")
