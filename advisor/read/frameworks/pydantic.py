"""pydantic: models and settings are filled from their annotated defaults and from what the constructor is given."""

from __future__ import annotations

from advisor.read.frameworks import dataclasses as fields_table
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Class, Constant, Instance, Mapping, Opaque, Value, mapping

MODELS = ("pydantic.BaseModel", "pydantic.RootModel", "pydantic.v1.BaseModel")
SETTINGS = ("pydantic.BaseSettings", "pydantic_settings.BaseSettings", "pydantic.v1.BaseSettings")
for _name in (*MODELS, *SETTINGS):
    table.CLASS_ROLES[_name] = "model-of-settings"


def default_of(reader: Reader, value: Value, call: LibraryCall) -> Value:
    """The default that a field's declaration gives."""
    if isinstance(value, Instance) and value.kind == "dataclasses.Field":
        made, factory = value.data.get("default"), value.data.get("factory")
        if made is not None and not (isinstance(made, Constant) and made.value is Ellipsis):
            return made  # type: ignore[no-any-return]
        return reader.call(factory, Arguments(), call.node) if factory is not None else Opaque("a field without a default")
    return value


@table.method("model-of-settings", "__init__")
def init(call: LibraryCall) -> Value:
    """Config(lr=0.1): fields given, else defaults; those of settings may come from the environment."""
    reader, instance = call.reader, call.this
    if instance.cls is None:
        return NONE
    outside = instance.kind in SETTINGS
    for name, default, _, _ in classes.fields_of(reader, instance.cls):
        given = call.arguments.keywords.get(name)
        value: Value
        if given is not None:
            value = given
        elif default is not None:
            value = default_of(reader, default, call)
            value = weaken(value) if outside or not call.arguments.exact else value
        else:
            value = Opaque(f"the field `{name}` has no default")
        reader.store.write(instance.attributes, name, value)
    return NONE


@table.method("model-of-settings", "dict", "model_dump", "copy", "model_copy")
def as_dict(call: LibraryCall) -> Value:
    """config.dict(), config.copy(update={...})"""
    if call.name.endswith("copy"):
        update = call.get("update")
        changed = update.items if isinstance(update, Mapping) else {}
        attributes = {**call.this.attributes, **{str(key): value for key, value in changed.items()}}
        return call.reader.instance(call.this.kind, role=call.this.role, cls=call.this.cls, node=call.node, attributes=attributes)
    return mapping(dict(call.this.attributes))


@table.method("model-of-settings", "json", "model_dump_json", "schema", "model_json_schema")
def text(call: LibraryCall) -> Value:
    """The config as text."""
    return Opaque("a JSON text", "str")


@table.function(*(f"{name}.{method}" for name in MODELS for method in ("parse_obj", "model_validate")))
def validated(call: LibraryCall) -> Value:
    """A class method reached without its class."""
    return Opaque("a model of settings")


@table.decorator("pydantic.dataclasses.dataclass")
def dataclass(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@pydantic.dataclasses.dataclass"""
    if isinstance(value, Class):
        value.dataclass = True
    return value


@table.decorator("pydantic.validator", "pydantic.field_validator", "pydantic.root_validator", "pydantic.model_validator", "pydantic.computed_field")
def validator(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """Validators run unseen."""
    return value


__all__ = ["fields_table"]
