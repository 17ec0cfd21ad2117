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
