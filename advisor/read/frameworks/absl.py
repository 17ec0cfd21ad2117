"""absl flags: FLAGS.lr is a default that the command line may override."""

from __future__ import annotations

from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Opaque, Value, sequence


def flags(reader: Reader) -> Instance:
    """The one table of flags of a program."""
    return reader.singleton("absl.flags.FLAGS", lambda: reader.instance("absl.flags.FlagValues", role="namespace"))


@table.function(
    *(
        f"absl.flags.DEFINE_{kind}"
        for kind in ("string", "float", "integer", "bool", "boolean", "enum", "list", "multi_string", "multi_integer", "enum_class")
    )
)
def define(call: LibraryCall) -> Value:
    """flags.DEFINE_float("lr", 0.1, "learning rate")"""
    name, default = call.reader.plain(call.get("name", 0)), call.get("default", 1)
    if isinstance(name, str):
        place = call.reader.argument_place(call.node, "default", 1)
        value: Value = (
            Constant(default.value, (Link(place.file, place.line, f"--{name} default"),), True, default.place)
            if isinstance(default, Constant)
            else default or Opaque(f"the flag --{name}")
        )
        call.reader.store.write(flags(call.reader).attributes, name, value)
    return Opaque("a flag holder")


@table.attribute("absl.flags", "FLAGS")
def flag_values(reader: Reader, owner: object) -> Value:
    """flags.FLAGS"""
    return flags(reader)


@table.function("absl.app.run")
def run(call: LibraryCall) -> Value:
    """app.run(main)"""
    target = call.get("main", 0)
    if target is not None:
        call.reader.call(target, Arguments([sequence([], "list")]), call.node)
    return NONE
