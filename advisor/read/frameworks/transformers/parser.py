"""HfArgumentParser and TrlParser: dataclasses whose defaults are the program's settings until a flag or a file overrides them."""

from __future__ import annotations

from advisor.model.record import replace
from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.values import NONE, Arguments, Class, Constant, Instance, Library, Opaque, Sequence, Value, sequence

PARSERS = ("transformers.HfArgumentParser", "trl.TrlParser")
for _name in PARSERS:
    table.CLASS_ROLES[_name] = "hf-parser"


@table.function(*PARSERS)
def hf_parser(call: LibraryCall) -> Value:
    """A parser of one or several dataclasses."""
    given = call.get("dataclass_types", 0)
    kinds = list(given.items) if isinstance(given, Sequence) else [given] if given is not None else []
    return call.reader.instance(call.name, role="hf-parser", node=call.node, data={"classes": kinds})


@table.method("hf-parser", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__() of a parser class of the project."""
    given = call.get("dataclass_types", 0)
    kinds = list(given.items) if isinstance(given, Sequence) else [given] if given is not None else []
    call.reader.store.write(call.this.data, "classes", kinds)
    return NONE


@table.method(
    "hf-parser",
    "parse_args_into_dataclasses",
    "parse_yaml_file",
    "parse_json_file",
    "parse_dict",
    "parse_args_and_config",
    "parse_yaml_file_and_args",
)
def parse(call: LibraryCall) -> Value:
    """One object per dataclass, its defaults weak: the command line or a file may override them."""
    reader = call.reader
    objects: list[Value] = []
    for kind in call.this.data.get("classes", []):
        if isinstance(kind, Class):
            made = reader.call(kind, Arguments(), call.node)
            if isinstance(made, Instance):
                for field, default, statement, owner in classes.fields_of(reader, kind):
                    held = made.attributes.get(field)
                    if isinstance(held, Constant):
                        place = owner.module.place(statement.value) if statement.value is not None else owner.module.place(statement)
                        link = Link(place.file, place.line, f"--{field} default")
                        reader.store.write(made.attributes, field, replace(held, weak=True, origin=(link, *held.origin), place=held.place or place))
                    elif held is None or default is None:
                        reader.store.write(made.attributes, field, Opaque(f"the flag --{field} has no default"))
            objects.append(made)
        elif isinstance(kind, Library):
            made = reader.call(kind, Arguments(), call.node)
            if isinstance(made, Instance):
                for key, value in list(made.attributes.items()):
                    if isinstance(value, Constant):
                        made.attributes[key] = replace(value, weak=True)
            objects.append(made)
        else:
            objects.append(Opaque("a dataclass that could not be read"))
    if call.name.endswith("parse_args_into_dataclasses") and reader.plain(call.get("return_remaining_strings")) is True:
        objects.append(Opaque("remaining arguments", "list"))
    return sequence(objects, "tuple")
