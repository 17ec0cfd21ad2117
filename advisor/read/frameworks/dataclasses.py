"""dataclasses: the decorator, fields with factories, asdict and replace."""

from __future__ import annotations

from advisor.read.frameworks.table import LibraryCall, decorator, function
from advisor.read.python.reader import Reader
from advisor.read.python.values import Class, Constant, Instance, Library, Opaque, Value, mapping, sequence


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
        "dataclasses.Field", role="field", node=call.node, data={"default": default, "factory": call.get("default_factory") or call.get("factory")}
    )


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
