"""tqdm: a progress bar iterates like what it wraps."""

from __future__ import annotations

import ast
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, Iteration, LibraryCall
from advisor.read.python import iteration
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Opaque, Value


def canonical(name: str) -> str:
    """tqdm.auto.tqdm, tqdm.notebook.tqdm, tqdm.rich.trange -> tqdm.tqdm, tqdm.trange."""
    last = name.rpartition(".")[2]
    return "tqdm.trange" if last in ("trange", "tnrange") else "tqdm.tqdm" if last in ("tqdm", "tqdm_notebook", "tqdm_gui") and "." in name else name


table.RENAMES["tqdm"] = canonical


@table.function("tqdm.tqdm", "rich.progress.track", "alive_progress.alive_it", "progressbar.progressbar")
def bar(call: LibraryCall) -> Value:
    """tqdm(loader)"""
    inner = call.get("iterable", 0) or call.get("sequence")
    return call.reader.instance("tqdm.tqdm", role="progress", node=call.node, data={"inner": inner})


@table.function("tqdm.trange")
def trange(call: LibraryCall) -> Value:
    """trange(n)"""
    table.load("builtins")
    handler = table.FUNCTIONS["builtins.range"]
    numbers = list(call.arguments.positional)
    from advisor.read.python.values import Arguments

    inner = handler(LibraryCall(call.reader, "builtins.range", Arguments(numbers), call.node))
    return call.reader.instance("tqdm.tqdm", role="progress", node=call.node, data={"inner": inner})


@table.iterate("progress")
def iterate(reader: Reader, instance: Any) -> Iteration:
    """for batch in tqdm(loader)"""
    inner = instance.data.get("inner")
    if inner is None:
        return Iteration(Opaque("an item"))
    node = reader.entry.tree
    return iteration.iterate(reader, inner, node, lazily=True)


@table.enter("progress")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with tqdm(loader) as bar"""
    return Entered(value=instance)


@table.method(
    "progress",
    "update",
    "set_postfix",
    "set_description",
    "close",
    "write",
    "set_postfix_str",
    "refresh",
    "set_description_str",
    "reset",
    "clear",
    "unpause",
)
def quiet(call: LibraryCall) -> Value:
    """What a bar shows."""
    return NONE
