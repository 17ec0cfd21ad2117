"""tyro, simple_parsing, chz, fire and the like: a dataclass or a function whose defaults the command line may override."""

from __future__ import annotations

from dataclasses import replace

from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Class, Constant, Function, Instance, Opaque, Value


def weak_object(reader: Reader, kind: Class, call: LibraryCall) -> Value:
    """An object of a dataclass with weak defaults."""
    made = reader.call(kind, Arguments(), call.node)
    if isinstance(made, Instance):
        weaken_fields(reader, made)
    return made


def weaken_fields(reader: Reader, made: Instance, prefix: str = "") -> None:
    """Every constant field becomes a default that the user may override."""
    for key, value in list(made.attributes.items()):
        if isinstance(value, Constant) and not value.weak:
            place = value.place
            link = (Link(place.file, place.line, f"--{prefix}{key} default"),) if place is not None else ()
            reader.store.write(made.attributes, key, replace(value, weak=True, origin=(*link, *value.origin[:4])))
        elif isinstance(value, Instance) and value.cls is not None and value.cls.dataclass and not prefix:
            weaken_fields(reader, value, f"{key}.")


@table.function(
    "tyro.cli",
    "simple_parsing.parse",
    "chz.entrypoint",
    "draccus.parse",
    "pyrallis.parse",
    "argparse_dataclass.parse_args",
    "jsonargparse.CLI",
    "jsonargparse.auto_cli",
    "fire.Fire",
    "typer.run",
    "defopt.run",
)
def cli(call: LibraryCall) -> Value:
    """tyro.cli(Args), fire.Fire(main)"""
    target = call.get("f", 0) or call.get("config_class", 0) or call.get("component", 0) or call.get("components", 0)
    if isinstance(target, Class):
        return weak_object(call.reader, target, call)
    if isinstance(target, Function):
        weak = {key: replace(value, weak=True) if isinstance(value, Constant) else value for key, value in target.defaults.items()}
        return call.reader.call(replace(target, defaults=weak), Arguments(), call.node)
    return Opaque("what the command line gives")


@table.decorator("pyrallis.wrap", "draccus.wrap")
def wrap(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@pyrallis.wrap(): the annotated dataclass is built from the command line."""
    if isinstance(value, Function) and value.node.args.args:
        annotation = value.node.args.args[0].annotation
        kind = reader.evaluate(annotation) if annotation is not None else None
        if isinstance(kind, Class) and call is not None:
            return replace(value, injected={value.node.args.args[0].arg: weak_object(reader, kind, call)})
    return value
