"""contextlib: context managers that change nothing, and functions that become one."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python import regions
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Function, Generator, Instance, Opaque, Value


@table.decorator("contextlib.contextmanager", "contextlib.asynccontextmanager")
def contextmanager(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """The generator runs where it is entered."""
    return replace(value, kind="contextmanager") if isinstance(value, Function) and value.kind == "plain" else value


@table.function("contextlib.contextmanager")
def as_function(call: LibraryCall) -> Value:
    """contextmanager(f)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    return value if value is not None else Opaque("a context manager")


@table.function("contextlib.nullcontext", "contextlib.closing", "contextlib.aclosing")
def passing(call: LibraryCall) -> Value:
    """Gives its argument back when it is entered."""
    return call.reader.instance("contextlib.nullcontext", role="null-context", node=call.node, data={"value": call.get("enter_result", 0) or NONE})


@table.function("contextlib.suppress", "contextlib.redirect_stdout", "contextlib.redirect_stderr", "contextlib.chdir")
def silent(call: LibraryCall) -> Value:
    """Errors or output are kept back."""
    return call.reader.instance("contextlib.nullcontext", role="null-context", node=call.node, data={"value": NONE})


@table.enter("null-context")
def enter_null(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """No region."""
    return Entered(value=instance.data.get("value"))


@table.function("contextlib.ExitStack", "contextlib.AsyncExitStack")
def stack(call: LibraryCall) -> Value:
    """ExitStack()"""
    return call.reader.instance("contextlib.ExitStack", role="exit-stack", node=call.node)


@table.enter("exit-stack")
def enter_stack(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with ExitStack() as stack"""
    return Entered(value=instance)


@table.method("exit-stack", "enter_context", "enter_async_context")
def enter_context(call: LibraryCall) -> Value:
    """stack.enter_context(no_grad()) where it does not stand alone in the block of the stack (regions.py): whether it is entered is not known.

    Nor is whether a graph is recorded from here on, or what the project's own context managers do to what they are given.
    """
    value = call.get("cm", 0)
    if value is None:
        return Opaque("an entered context")
    if isinstance(value, Generator):
        call.reader.escape(list(value.frame.names.values()), value.function.name, call.node)
        return Opaque("an entered context")
    entered = regions.enter_value(call.reader, value, call.node)
    if entered is not None and entered.region in ("no_grad", "inference_mode", "set_grad_enabled"):
        call.reader.grad_mode = "unknown"
    found = entered.value if entered is not None else None
    return found if found is not None else Opaque("an entered context")


@table.method("exit-stack", "callback", "push", "push_async_callback")
def at_the_end(call: LibraryCall) -> Value:
    """stack.callback(scheduler.step): it is run when the block ends, wherever that is."""
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    call.reader.escape(given, "ExitStack." + call.name.rpartition(".")[2], call.node)
    return given[0] if given else NONE


@table.method("exit-stack", "close", "pop_all")
def quiet(call: LibraryCall) -> Value:
    """What runs at the end."""
    return call.this if isinstance(call.receiver, Instance) and call.name.endswith("pop_all") else NONE
