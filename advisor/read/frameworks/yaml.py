"""PyYAML in a program: files that are there are read, each value with its place and as PyYAML types it."""

from __future__ import annotations

from weakref import WeakKeyDictionary, WeakSet

from advisor.model.recipe import Broken
from advisor.model.source import Link
from advisor.read.config import tree
from advisor.read.config.tree import Listed, Mapped, Node
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import keys
from advisor.read.python.project import Project
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Library, Opaque, Union, Value, mapping, sequence

LARGEST_CONFIG = 100_000  # characters; what is larger is data, or a list of data, and would take longer to read than the program
LOADERS = ("SafeLoader", "CSafeLoader", "FullLoader", "CFullLoader", "Loader", "CLoader", "UnsafeLoader", "CUnsafeLoader")
_TREES: WeakKeyDictionary[Project, dict[str, Node | Broken | None]] = WeakKeyDictionary()  # each file is parsed once
_TAUGHT: WeakSet[Reader] = WeakSet()  # programs that add resolvers to a loader


def value_of_node(node: Node, path: str, typed: bool = False, weak: bool = False, whole: bool = False) -> Value:
    """A config tree as a value of the program; every scalar says which key of which file it is.

    Where only the `whole` file may give way to another, a flag is what it says: who turns it round gives the other values, too.
    """
    if isinstance(node, Mapped):
        made = mapping(
            {key: value_of_node(item, f"{path}.{key}" if path else str(key), typed, weak, whole) for key, (item, _) in node.entries.items()},
            True,
            node.place,
        )
        return made if node.tag is None else Opaque(f"an object built by the tag {node.tag}")
    if isinstance(node, Listed):
        return sequence([value_of_node(item, f"{path}.{index}", typed, weak, whole) for index, item in enumerate(node.items)], "list")
    if node.tag is not None:
        return Opaque(f"a value built by the tag {node.tag}")
    value = node.typed if typed else node.value
    if isinstance(value, str) and typed and "${" in value:
        return Opaque(f"the interpolation {value}"[:120])
    open_yet = weak and not (whole and isinstance(value, bool))
    return Constant(value, (Link(node.place.file, node.place.line, path),), open_yet, node.place)


def read_text(reader: Reader, text: str, display: str, typed: bool = False, weak: bool = False, whole: bool = False) -> Value:
    """A config text as a value; a broken one is told once."""
    if len(text) > LARGEST_CONFIG or display.endswith((".py", ".csv", ".txt", ".md", ".ipynb")):
        return Opaque(f"{display} is too large to be a config" if len(text) > LARGEST_CONFIG else f"{display} is no config")
    trees = _TREES.setdefault(reader.project, {})
    if display not in trees:
        trees[display] = tree.load(text, display)
    root = trees[display]
    if isinstance(root, Broken):
        if not any(known.place.file == root.place.file for known in reader.recipe.broken):
            reader.recipe.broken.append(root)
        return Opaque(f"{display} could not be parsed")
    if display not in reader.recipe.files:
        reader.recipe.files.append(display)
        reader.recipe.duplicate_keys.items.extend(dict.fromkeys(tree.duplicates(root)))
    if typed and root is not None and "${" in text:
        from advisor.read.config import interpolation

        root = interpolation.resolve(root)
    return value_of_node(root, "", typed, weak, whole) if root is not None else Constant(None)


def text_of(reader: Reader, value: Value | None) -> tuple[str, str] | None:
    """(display name, text) of the file that a stream, a path or a text names."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Instance) and value.role == "file-text":
        return str(value.data["display"]), str(value.data["text"])
    if isinstance(value, Instance) and value.role in ("file", "path"):
        return text_of(reader, value.data.get("path"))
    if isinstance(value, Constant) and isinstance(value.value, str):
        return reader.open_text(value.value)
    return None


def override_of(reader: Reader) -> tuple[str, str] | None:
    """The config named with --with, joined for a file whose path is not known."""
    return reader.config


def _stands_in(reader: Reader, joined: str, default: str, value: Value | None) -> bool:
    """True when the joined config takes the place of one that an option names by default: a file of the same kind that is not read yet."""
    import os

    if joined == default or joined in reader.recipe.files or not is_weak(value):
        return False
    return os.path.splitext(joined)[1] == os.path.splitext(default)[1] and os.path.dirname(joined) == os.path.dirname(default)


def is_weak(value: Value | None) -> bool:
    """True when the file is named by a default that the user may override."""
    if isinstance(value, Instance) and value.role in ("file", "path"):
        return is_weak(value.data.get("path"))
    return isinstance(value, Union) or (isinstance(value, Constant) and value.weak)


def load_config(call: LibraryCall, value: Value | None, typed: bool = False) -> Value:
    """The content of a config that a program reads."""
    found = text_of(call.reader, value) if value is not None else None
    joined = override_of(call.reader)
    if joined is not None and (found is None or _stands_in(call.reader, joined[0], found[0], value)):
        found = joined
    if found is None:
        inner = value.data.get("path") if isinstance(value, Instance) else value
        why = (
            "a config file whose path is not known"
            if not isinstance(inner, Constant) or inner.value is None
            else f"the config file {inner.value!r} is not there"
        )
        return Opaque(why)
    new = found[0] not in call.reader.recipe.files
    result = read_text(call.reader, found[1], found[0], typed, is_weak(value), whole=True)
    if new and call.name.startswith(CONFIG_LOADERS):  # what a framework reads, it has its own names for
        keys.declare(call.reader, tree_of(call.reader, found[0]))
    elif not call.name.startswith(CONFIG_LOADERS):
        keys.read_by_library(call.reader, found[0])
    return result


CONFIG_LOADERS = ("yaml.", "json.", "ruamel.", "toml", "omegaconf.")


def tree_of(reader: Reader, display: str) -> Node | None:
    """The tree of a config that was read."""
    root = _TREES.get(reader.project, {}).get(display)
    return None if isinstance(root, Broken) else root


@table.function("yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.unsafe_load", "yaml.FullLoader")
def safe_load(call: LibraryCall) -> Value:
    """yaml.safe_load(stream). A loader of the project's own, or one with resolvers added, is made to read 1e-3 as a number."""
    loader = call.get("Loader", 1)
    own = loader is not None and (not isinstance(loader, Library) or call.reader in _TAUGHT)
    return load_config(call, call.get("stream", 0), typed=own)


@table.function("yaml.add_implicit_resolver", *(f"yaml.{loader}.add_implicit_resolver" for loader in LOADERS))
def add_implicit_resolver(call: LibraryCall) -> Value:
    """SafeLoader.add_implicit_resolver("tag:yaml.org,2002:float", pattern, first)"""
    _TAUGHT.add(call.reader)
    return NONE


@table.function("ruamel.yaml.safe_load", "ruamel.yaml.load")
def ruamel_load(call: LibraryCall) -> Value:
    """ruamel reads 1e-4 as a number."""
    return load_config(call, call.get("stream", 0), typed=True)


@table.function("yaml.safe_load_all", "yaml.load_all")
def load_all(call: LibraryCall) -> Value:
    """The first document stands for all."""
    return sequence([load_config(call, call.get("stream", 0))], "list", exact=False)


@table.function("yaml.dump", "yaml.safe_dump")
def dump(call: LibraryCall) -> Value:
    """Writing."""
    return Opaque("a YAML text", "str")
