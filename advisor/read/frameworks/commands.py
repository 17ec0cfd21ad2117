"""The commands of a program, each with options of its own: `train --epochs`, `play --epochs`."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Constant, Instance, Opaque, Sequence, Value

COMMAND = "<command>"  # which one a parser is of


@table.method("argument-parser", "add_subparsers")
def subparsers(call: LibraryCall) -> Value:
    """Commands: each parser's options join the namespace."""
    dest, this = call.get("dest"), call.this
    if isinstance(dest, Constant):
        call.reader.store.write(this.data, "options", {**this.data.get("options", {}), str(dest.value): Opaque("the command chosen", "str")})
    return call.reader.instance("argparse.subparsers", role="subparsers", node=call.node, data={"of": this})


@table.method("subparsers", "add_parser")
def add_parser(call: LibraryCall) -> Value:
    """One command: its parser writes into the same table (its values hold only when it is chosen)."""
    of: Instance = call.this.data["of"]
    parents = call.get("parents")
    for parent in parents.items if isinstance(parents, Sequence) else ():
        given = parent.data if isinstance(parent, Instance) else {}
        for key in ("options", "specs"):
            call.reader.store.write(of.data, key, {**of.data.get(key, {}), **given.get(key, {})})
        of.data.get("said", []).extend(given.get("said", ()))
    made = call.reader.instance(of.kind, role=of.role, node=call.node, data=of.data, cls=of.cls)
    made.attributes[COMMAND] = Constant(made.serial)
    return made


def by_command(call: LibraryCall, dest: str, value: Value) -> Value:
    """The default of an option; not known where another command has an option of this name with another default."""
    command = call.this.attributes.get(COMMAND)
    if command is None:
        return value
    owners: dict[str, Value] = call.this.data.get("commands", {})
    call.reader.store.write(call.this.data, "commands", {**owners, dest: command})
    before = call.this.data.get("options", {}).get(dest)
    if owners.get(dest, command) is command or before is None:
        return value
    if isinstance(before, Constant) and isinstance(value, Constant) and before.value == value.value:
        return before
    return Opaque("it depends on the command", value.type if isinstance(value, Opaque) else None)
