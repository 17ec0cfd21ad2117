"""open(): a file that a config loader may read."""

from __future__ import annotations

from advisor.read.frameworks.table import Entered, LibraryCall, enter, function, method
from advisor.read.python import telling
from advisor.read.python.values import Constant, Instance, Opaque, Value


@function("builtins.open", "io.open", "codecs.open")
def open_(call: LibraryCall) -> Value:
    """open(path): remembered by its path."""
    path = call.get("file", 0)
    mode = call.reader.plain(call.get("mode", 1))
    return call.reader.instance("file", role="file", node=call.node, data={"path": path, "mode": mode})


@enter("file")
def enter_file(reader: object, instance: Instance, node: object) -> Entered:
    """with open(path) as f"""
    return Entered(value=instance)


@method("file", "read")
def read(call: LibraryCall) -> Value:
    """f.read(): the text of a file of the project."""
    path = call.this.data.get("path")
    if isinstance(path, Constant) and isinstance(path.value, str):
        found = call.reader.open_text(path.value)
        if found is not None:
            return call.reader.instance("file-text", role="file-text", data={"display": found[0], "text": found[1], "path": path})
    return Opaque("the text of a file", "str")


@method("file", "write")
def write(call: LibraryCall) -> Value:
    """f.write(text)"""
    telling.note(call.reader, call.node, in_file=True)
    return Opaque("how much was written", "int")


@method("file", "close", "flush", "readline", "readlines", "seek", "tell", "writelines")
def other(call: LibraryCall) -> Value:
    """Other file methods."""
    return Opaque("a line of a file", "str")
