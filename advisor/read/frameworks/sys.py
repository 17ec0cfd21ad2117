"""sys: the command line, and leaving."""

from __future__ import annotations

from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.statements import EXIT
from advisor.read.python.values import NONE, Constant, Opaque, Value, sequence


@table.function("sys.exit", "os._exit")
def leave(call: LibraryCall) -> Value:
    """sys.exit()"""
    call.reader.frame.returns.append(EXIT)
    return NONE


@table.attribute("sys", "argv")
def argv(reader: Reader, owner: Any) -> Value:
    """The words of the command line: known when a shell script gives them."""
    words = reader.entry_arguments
    if words is None and reader.config is not None:  # started with the config that was joined, or as a command line says
        line = next(iter(reader.launches), None)
        given = [word.text for word in line.words] if line is not None else [reader.config[0]]
        words = [word for word in given if word is not None] if None not in given else None
    name = Constant(reader.entry.path)
    if words is None:
        return sequence([], "list", exact=False)
    return sequence([name, *(Constant(word) for word in words)])


@table.attribute("sys", "platform")
def system(reader: Reader, owner: Any) -> Value:
    """Known only when it runs."""
    return Opaque("the platform", "str")


@table.attribute("sys", "version_info", "maxsize", "version", "byteorder", "executable", "modules", "stdout", "stderr", "stdin", "gettrace")
def machine(reader: Reader, owner: Any) -> Value:
    """Known only when it runs."""
    return Opaque("the interpreter")


@table.prefix("sys")
def other(call: LibraryCall) -> Value:
    """sys.path.append, sys.setrecursionlimit, sys.stdout.flush, ..."""
    return Opaque(f"result of `{call.name}`")
