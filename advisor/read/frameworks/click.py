"""click: options injected into the function, weak because the command line may override them; groups run the commands they hold."""

from __future__ import annotations

from advisor.model.record import replace
from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.argparse import converted
from advisor.read.frameworks.dataclasses import as_option
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.tyro import MOST_COMMANDS
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Function, Instance, Library, Opaque, Partial, Value, sequence

_TYPES = {"click.FLOAT": "builtins.float", "click.INT": "builtins.int", "click.STRING": "builtins.str"}
_NUMBERS: dict[str, type[int] | type[float]] = {"builtins.int": int, "builtins.float": float}  # what click makes of numbers, too


def _key(names: list[str]) -> tuple[str, str]:
    """(parameter name, flag) of an option's declarations."""
    plain_names = [name for name in names if not name.startswith("-")]
    flag = next((name for name in names if name.startswith("--")), names[0])
    return (plain_names[0] if plain_names else flag.split("/")[0].strip("- ").replace("-", "_").lower()), flag.split("/")[0]


def default_of(reader: Reader, call: LibraryCall, flag: str, is_switch: bool, is_argument: bool) -> Value:
    """What an option is when the command line does not give it."""
    default, kind = call.get("default"), call.get("type")
    place = reader.argument_place(call.node, "default")
    link = Link(place.file, place.line, f"{flag} default")
    if isinstance(kind, Library) and kind.name in _TYPES:
        kind = Library(_TYPES[kind.name])
    if isinstance(default, Function):
        default = reader.call(default, Arguments(), call.node)
    if default is not None:
        number = _NUMBERS.get(kind.name) if isinstance(kind, Library) else None
        if number is not None and isinstance(default, Constant) and isinstance(default.value, (int, float)):
            default = replace(default, value=number(default.value))
        return as_option(converted(reader, kind, default, call.node), link)
    if is_switch or reader.plain(call.get("is_flag")) is True:
        return Constant(False, (link,), True, call.place)
    if reader.plain(call.get("count")) is True:
        return Constant(0, (link,), True, call.place)
    if reader.plain(call.get("multiple")) is True:
        return sequence([], "tuple")
    if (
        is_argument
        or reader.plain(call.get("required")) is True
        or reader.plain(call.get("prompt")) not in (None, False, Opaque)
        or not call.arguments.exact
    ):
        return Opaque(f"the option {flag} has no default")
    return Constant(None, (link,), True, call.place)


@table.decorator("click.option", "click.argument", "asyncclick.option", "asyncclick.argument")
def option(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@click.option("--lr", default=0.1)"""
    if not isinstance(value, Function) or call is None:
        return value
    names = [item.value for item in call.arguments.positional if isinstance(item, Constant) and isinstance(item.value, str)]
    if names:
        key, flag = _key(names)
        switch = any("/" in name for name in names)
        value.injected[key] = default_of(reader, call, flag, switch, call.name.endswith("argument"))
    return value


@table.decorator("click.command", "click.version_option", "click.help_option", "click.confirmation_option")
def command(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@click.command()"""
    return value


@table.decorator("click.pass_context", "click.pass_obj")
def with_context(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """The first parameter is click's context."""
    if isinstance(value, Function) and value.node.args.args:
        value.injected[value.node.args.args[0].arg] = Opaque("the context of click")
    return value


@table.decorator("click.group")
def group(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@click.group()"""
    return reader.instance("click.Group", role="click-group", data={"function": value, "commands": ()})


@table.method("click-group", "command", "group")
def subcommand(call: LibraryCall) -> Value:
    """@cli.command()"""
    given = call.arguments.positional
    if given and isinstance(given[0], Function):
        return attach(call.reader, call.this, given[0])
    return Partial(Library("click.attached" if call.name.endswith("command") else "click.attached_group"), [call.this], {})


@table.function("click.attached", "click.attached_group")
def attached(call: LibraryCall) -> Value:
    """The function that a group's decorator is given."""
    owner, function = call.get("owner", 0), call.get("f", 1)
    if function is None or not isinstance(owner, Instance):
        return function or Opaque("a decorator of nothing")
    inner = group(call.reader, function, None) if call.name.endswith("_group") else function
    return attach(call.reader, owner, inner)


def attach(reader: Reader, owner: Instance, value: Value) -> Value:
    """Notes a command of a group."""
    reader.store.write(owner.data, "commands", (*owner.data["commands"], value))
    return value


@table.method("click-group", "add_command")
def add_command(call: LibraryCall) -> Value:
    """cli.add_command(train)"""
    if call.arguments.positional:
        attach(call.reader, call.this, call.arguments.positional[0])
    return NONE


@table.invoke("click-group")
def run(call: LibraryCall) -> Value:
    """cli(): the group's own function, then the command that the command line names."""
    reader = call.reader
    reader.call(call.this.data["function"], Arguments(), call.node)
    commands: tuple[Value, ...] = call.this.data["commands"]
    if len(commands) == 1:
        reader.call(commands[0], Arguments(), call.node)
    elif commands:
        arms = [("unknown", None, lambda one=one: (None, reader.call(one, Arguments(), call.node))) for one in commands[:MOST_COMMANDS]]
        reader.branch(call.node, None, arms)  # type: ignore[arg-type]
    return NONE


@table.method("click-group", "main", "callback", "result_callback")
def other(call: LibraryCall) -> Value | None:
    """cli.main()"""
    return run(call) if call.name.endswith("main") else Opaque("a part of a click group")


@table.function("click.echo", "click.secho", "click.confirm", "click.style", "click.get_current_context")
def shown(call: LibraryCall) -> Value:
    """Messages."""
    return Opaque("what click gives")


@table.function("typer.Option", "typer.Argument")
def typer_option(call: LibraryCall) -> Value:
    """typer.Option(0.1, "--lr")"""
    default = call.get("default", 0)
    if isinstance(default, Constant) and default.value is not Ellipsis:
        return replace(default, weak=True)
    return Opaque("an option without a default")
