"""os and os.path: path arithmetic on known texts; what the machine holds is known only when it runs."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable
from typing import Any

from advisor.model.source import ON_DISK, Link
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import texts
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Value, plain, sequence

_PURE: dict[str, Callable[..., Any]] = {
    "join": posixpath.join,
    "dirname": posixpath.dirname,
    "basename": posixpath.basename,
    "normpath": posixpath.normpath,
    "splitext": posixpath.splitext,
    "split": posixpath.split,
    "expanduser": lambda path: path,
    "abspath": lambda path: path,
    "realpath": lambda path: path,
    "fspath": lambda path: path,
    "expandvars": lambda path: path,
    "relpath": lambda path, start=".": posixpath.relpath(path, start) if posixpath.isabs(path) == posixpath.isabs(start) else path,
    "isabs": posixpath.isabs,
}


def path_text(value: Value | None) -> Constant | None:
    """The text of a path, given as a text or as a pathlib path."""
    if isinstance(value, Instance) and value.role == "path":
        value = value.data.get("path")
    return value if isinstance(value, Constant) and isinstance(value.value, str) else None


@table.function(*(f"os.path.{name}" for name in _PURE), "os.fspath")
def pure(call: LibraryCall) -> Value:
    """Path arithmetic."""
    given = [path_text(value) for value in call.arguments.positional]
    if not given or any(value is None for value in given):
        head = _beginning(call.name.rpartition(".")[2], call.arguments.positional)
        return Opaque("a path that is not known", "str", head=head, alike=texts.alike(*call.arguments.positional))
    known = [value for value in given if value is not None]
    result = _PURE[call.name.rpartition(".")[2]](*(value.value for value in known))
    weak = any(value.weak for value in known)
    origin = known[-1].origin
    if isinstance(result, tuple):
        return sequence([Constant(part, origin, weak) for part in result], "tuple")
    return Constant(result, origin, weak, known[-1].place)


def _beginning(name: str, given: list[Value]) -> str:
    """How a path begins that holds pieces which are not known."""
    if name == "join":
        return joined_path(given)
    if name not in ("dirname", "normpath", "expanduser", "abspath", "realpath", "fspath", "expandvars"):
        return ""
    begin = texts.beginning(given[0]) if given else ""
    return posixpath.dirname(begin) if name == "dirname" else begin


def joined_path(given: list[Value]) -> str:
    """How a path begins that is made of these parts."""
    known: list[str] = []
    for part in given:
        known.append(texts.beginning(part))
        if not texts.whole(part):
            break
    return posixpath.join(*known) if known else ""


def makes(reader: Reader, folder: Value | None, node: ast.AST) -> None:
    """Notes that a folder is made here."""
    reader.folders.append((reader.place(node), texts.beginning(folder)))


@table.function("os.makedirs", "os.mkdir")
def make_folder(call: LibraryCall) -> Value:
    """os.makedirs(path)"""
    makes(call.reader, call.get("name", 0) or call.get("path", 0), call.node)
    return NONE


@table.function("os.getcwd", "os.getcwdb")
def cwd(call: LibraryCall) -> Value:
    """The working directory: files are looked for from there."""
    return Constant(".", weak=True)


@table.function("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.islink", "os.access", "os.path.getsize", "os.path.getmtime")
def exists(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque(ON_DISK, "bool")


RANKS = ("RANK", "LOCAL_RANK", "GROUP_RANK", "SLURM_PROCID", "SLURM_LOCALID", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK")


@table.function("os.getenv", "os.environ.get")
def getenv(call: LibraryCall) -> Value:
    """A default that the environment may override."""
    default = call.get("default", 1)
    if isinstance(default, Constant) or (isinstance(default, Instance) and default.role == "path"):
        name = plain(call.get("key", 0))
        return weaken(default, (Link(call.place.file, call.place.line, f"{name} default"),) if isinstance(name, str) else ())
    return _variable(call.get("key", 0))


def _variable(name: Value | None) -> Opaque:
    """What the environment holds; torchrun puts the number of processes there, and which of them this one is."""
    if isinstance(name, Constant) and name.value == "WORLD_SIZE":
        return Opaque("the world size", "str", replicas=1)
    if isinstance(name, Constant) and name.value in RANKS:
        return Opaque("the rank", "str")
    return Opaque("an environment variable", "str")


@table.prefix("os")
def other(call: LibraryCall) -> Value:
    """Listing, making and removing files."""
    name = call.name.rpartition(".")[2]
    if name in ("listdir", "walk", "scandir", "glob"):
        return Opaque("the files on the disk", "list")
    if name in ("remove", "rename", "environ", "system", "chdir", "putenv"):
        return NONE
    return Opaque(f"result of `{call.name}`")


@table.attribute("os", "environ")
def environ(reader: Reader, value: Any) -> Value:
    """The environment of the process."""
    return reader.singleton("os.environ", lambda: reader.instance("os.environ", role="environment"))


@table.method("environment", "get", "setdefault", "pop")
def read_environment(call: LibraryCall) -> Value | None:
    """os.environ.get("LR", "0.1")"""
    return getenv(call)


@table.method("environment", "__getitem__", "copy", "items", "keys", "values", "update", "__setitem__", "__len__")
def other_environment(call: LibraryCall) -> Value:
    """os.environ["RANK"]; what is written is not followed."""
    return _variable(call.get("key", 0)) if call.name.endswith("__getitem__") else Opaque("the environment")


@table.attribute("os", "sep")
def separator(reader: Reader, value: Any) -> Value:
    """The separator of paths."""
    return Constant("/")
