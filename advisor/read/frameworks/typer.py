"""typer: commands whose defaults are options; `app()` runs the command that the command line names."""

from __future__ import annotations

from advisor.read.frameworks import click, table, tyro
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Arguments, Function, Library, Opaque, Partial, Value


@table.function("typer.Typer")
def app(call: LibraryCall) -> Value:
    """typer.Typer()"""
    return call.reader.instance("typer.Typer", role="command-line", node=call.node, data={"commands": ()})


@table.method("command-line", "command", "callback")
def command(call: LibraryCall) -> Value:
    """@app.command(): a decorator that notes the function."""
    given = call.arguments.positional
    if given and isinstance(given[0], Function):
        return _noted(call, given[0], call.name.endswith("command"))
    return Partial(Library("typer.noted"), [call.this, Library(call.name)], {})


@table.function("typer.noted")
def noted(call: LibraryCall) -> Value:
    """The function decorated."""
    how, function = call.get("how", 1), call.get("f", 2)
    if isinstance(function, Function) and isinstance(how, Library):
        owner = call.arguments.positional[0]
        return _noted(LibraryCall(call.reader, call.name, Arguments(), call.node, owner), function, how.name.endswith("command"))
    return function or Opaque("a decorator of nothing")


def _noted(call: LibraryCall, function: Function, is_command: bool) -> Value:
    weak = tyro.weak_parameters(function)
    function.defaults = weak.defaults
    if is_command:
        call.reader.store.write(call.this.data, "commands", (*call.this.data["commands"], function))
    return function


@table.invoke("command-line")
def run(call: LibraryCall) -> Value:
    """app()"""
    commands: tuple[Function, ...] = call.this.data["commands"]
    if len(commands) == 1:
        call.reader.call(commands[0], Arguments(), call.node)
    elif commands:
        arms = [("unknown", None, lambda one=one: (None, call.reader.call(one, Arguments(), call.node))) for one in commands[: tyro.MOST_COMMANDS]]
        call.reader.branch(call.node, None, arms)  # type: ignore[arg-type]
    return NONE


@table.method("command-line", "add_typer", "registered_commands")
def quiet(call: LibraryCall) -> Value:
    """Nested applications are not followed."""
    return NONE


@table.function("typer.echo", "typer.secho", "typer.Exit", "typer.confirm", "typer.style")
def shown(call: LibraryCall) -> Value:
    """Messages."""
    return NONE


__all__ = ["click"]
