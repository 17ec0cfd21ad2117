"""Typed argument parsers: a class whose annotated defaults are options, weak because the command line may override them."""

from __future__ import annotations

from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.values import NONE, Arguments, Bound, Function, Opaque, Value

table.CLASS_ROLES["tap.Tap"] = "typed-arguments"


@table.method("typed-arguments", "__init__", "add_argument", "configure", "add_subparser", "save", "load", "add_subparsers")
def quiet(call: LibraryCall) -> Value:
    """Nothing is read before parse_args."""
    return NONE


@table.method("typed-arguments", "parse_args")
def parse_args(call: LibraryCall) -> Value:
    """Args().parse_args() gives the object with its defaults."""
    reader, instance = call.reader, call.this
    if instance.cls is None:
        return instance
    for name, default, statement, owner in classes.fields_of(reader, instance.cls):
        if default is None:
            value: Value = Opaque(f"the argument --{name} has no default")
        else:
            place = owner.module.place(statement.value if statement.value is not None else statement)
            value = weaken(default, (Link(place.file, place.line, f"--{name} default"),), place)
        reader.store.write(instance.attributes, name, value)
    process = classes.class_lookup(reader, instance.cls, "process_args")
    if isinstance(process, Function):
        reader.call(Bound(instance, "process_args", process), Arguments(), call.node)
    return instance


@table.method("typed-arguments", "as_dict", "_get_kwargs")
def as_dict(call: LibraryCall) -> Value:
    """args.as_dict()"""
    from advisor.read.python.values import mapping

    return mapping(dict(call.this.attributes))
