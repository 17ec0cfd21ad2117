"""pathlib: paths of known texts."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from advisor.model.source import ON_DISK
from advisor.read.frameworks import table
from advisor.read.frameworks.os import joined_path, makes, path_text
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import texts
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Opaque, Union, Value
from advisor.read.python.values import join as alternatives


def made(reader: Reader, value: Value) -> Value:
    """A path object."""
    return reader.instance("pathlib.Path", role="path", data={"path": value})


@table.function("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath")
def path(call: LibraryCall) -> Value:
    """Path("conf", "train.yaml")"""
    given = call.arguments.positional
    if len(given) == 1 and isinstance(given[0], Union):
        ways = [LibraryCall(call.reader, call.name, Arguments([member]), call.node) for member in given[0].members]
        return alternatives([path(way) or Opaque("a path that is not known", "str") for way in ways], given[0].when)
    parts = [path_text(value) for value in call.arguments.positional]
    if any(part is None for part in parts):
        return made(call.reader, Opaque("a path that is not known", "str", head=joined_path(given), alike=texts.alike(*given)))
    known = [part for part in parts if part is not None]
    if not known:
        return made(call.reader, Constant("."))
    return made(
        call.reader,
        Constant(posixpath.join(*(str(part.value) for part in known)), known[-1].origin, any(part.weak for part in known), known[-1].place),
    )


@table.method("path", "__truediv__", "joinpath")
def join(call: LibraryCall) -> Value:
    """folder / "train.yaml" """
    return path(LibraryCall(call.reader, call.name, Arguments([call.this, *call.arguments.positional]), call.node)) or call.this


@table.method("path", "open")
def open_path(call: LibraryCall) -> Value:
    """path.open()"""
    return call.reader.instance("file", role="file", node=call.node, data={"path": call.this.data.get("path")})


@table.method("path", "read_text", "read_bytes")
def read_text(call: LibraryCall) -> Value:
    """path.read_text()"""
    text = path_text(call.this)
    found = call.reader.open_text(str(text.value)) if text is not None else None
    if found is not None:
        return call.reader.instance("file-text", role="file-text", data={"display": found[0], "text": found[1], "path": text})
    return Opaque("the text of a file", "str")


@table.method("path", "resolve", "absolute", "expanduser")
def same(call: LibraryCall) -> Value:
    """The same path."""
    return call.this


@table.method("path", "exists", "is_file", "is_dir", "glob", "rglob", "iterdir", "stat")
def disk(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque(ON_DISK, "bool" if call.name.rpartition(".")[2].startswith(("exists", "is_")) else "list")


@table.method("path", "mkdir")
def make_folder(call: LibraryCall) -> Value:
    """path.mkdir(parents=True)"""
    makes(call.reader, call.this, call.node)
    return NONE


@table.method("path", "touch", "unlink", "rename", "write_text", "write_bytes")
def write(call: LibraryCall) -> Value:
    """Writing."""
    return NONE


@table.method("path", "as_posix", "__str__")
def text(call: LibraryCall) -> Value:
    """The path as text."""
    found = path_text(call.this)
    return found if found is not None else Opaque("a path that is not known", "str")


@table.method("path", "with_suffix", "with_name", "with_stem", "relative_to")
def changed(call: LibraryCall) -> Value:
    """path.with_suffix(".yaml")"""
    found, given = path_text(call.this), path_text(call.arguments.positional[0] if call.arguments.positional else None)
    if found is None or given is None:
        return made(call.reader, Opaque("a path that is not known", "str"))
    how, path, new = call.name.rpartition(".")[2], str(found.value) or ".", str(given.value)
    folder, base = posixpath.split(path)
    result = {
        "with_suffix": posixpath.splitext(path)[0] + new,
        "with_name": posixpath.join(folder, new),
        "with_stem": posixpath.join(folder, new + posixpath.splitext(base)[1]),
        "relative_to": posixpath.relpath(path, new or ".") if posixpath.isabs(path) == posixpath.isabs(new) else path,
    }[how]
    return made(call.reader, Constant(result, found.origin, found.weak or given.weak, found.place))


@table.attribute("path", "parent")
def parent(reader: Reader, instance: Any) -> Value:
    """path.parent"""
    found = path_text(instance)
    return (
        made(reader, Constant(posixpath.dirname(str(found.value)), found.origin, found.weak, found.place))
        if found is not None
        else made(reader, Opaque("a path", "str", head=posixpath.dirname(texts.beginning(instance))))
    )


@table.attribute("path", "parents")
def parents(reader: Reader, instance: Any) -> Value:
    """path.parents[i]"""
    found = path_text(instance)
    if found is None:
        return Opaque("a path")
    from advisor.read.python.values import sequence

    items: list[Value] = []
    current = str(found.value)
    for _ in range(5):
        current = posixpath.dirname(current)
        items.append(made(reader, Constant(current)))
    return sequence(items, "tuple", exact=False)


@table.attribute("path", "name")
def name(reader: Reader, instance: Any) -> Value:
    """path.name"""
    return _piece(instance, posixpath.basename)


@table.attribute("path", "stem")
def stem(reader: Reader, instance: Any) -> Value:
    """path.stem"""
    return _piece(instance, lambda path: posixpath.splitext(posixpath.basename(path))[0])


@table.attribute("path", "suffix")
def suffix(reader: Reader, instance: Any) -> Value:
    """path.suffix"""
    return _piece(instance, lambda path: posixpath.splitext(path)[1])


def _piece(instance: Any, take: Callable[[str], str]) -> Value:
    found = path_text(instance)
    return Constant(take(str(found.value)), found.origin, found.weak) if found is not None else Opaque("a part of a path", "str")


@table.function("pathlib.Path.cwd", "pathlib.Path.home")
def cwd(call: LibraryCall) -> Value:
    """The working directory."""
    return made(call.reader, Constant(".", weak=True))
