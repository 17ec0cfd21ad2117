"""click and typer: options injected into the function, weak because the command line may override them."""

from __future__ import annotations

from dataclasses import replace

from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Function, Opaque, Value


@table.decorator("click.option", "click.argument", "asyncclick.option")
def option(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@click.option("--lr", default=0.1)"""
    if not isinstance(value, Function) or call is None:
        return value
    names = [item.value for item in call.arguments.positional if isinstance(item, Constant) and isinstance(item.value, str)]
    if not names:
        return value
    plain_names = [name for name in names if not name.startswith("-")]
    flag = next((name for name in names if name.startswith("--")), names[0])
    key = plain_names[0] if plain_names else flag.split("/")[0].lstrip("-").replace("-", "_")
    default = call.get("default")
    found: Value
    if isinstance(default, Constant):
        place = reader.argument_place(call.node, "default")
        found = Constant(default.value, (Link(place.file, place.line, f"{flag} default"), *default.origin), True, default.place)
    elif reader.plain(call.get("is_flag")) is True:
        found = Constant(False, weak=True)
    else:
        found = default if default is not None else Opaque(f"the option {flag} has no default")
    return replace(value, injected={**value.injected, key: found})


@table.decorator("click.command", "click.group", "click.pass_context", "click.version_option")
def command(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@click.command()"""
    return value


@table.function("typer.Option", "typer.Argument")
def typer_option(call: LibraryCall) -> Value:
    """typer.Option(0.1, "--lr")"""
    default = call.get("default", 0)
    if isinstance(default, Constant) and default.value is not Ellipsis:
        return replace(default, weak=True)
    return Opaque("an option without a default")
