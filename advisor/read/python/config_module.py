"""Python files that are configs (OpenMMLab's, with `_base_`): executed abstractly, and what they bind as one config tree."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.config.bases import LONGEST_CHAIN, merge, missing_base
from advisor.read.config.tree import Listed, Mapped, Node, Scalar
from advisor.read.python import imports
from advisor.read.python.values import Class, Constant, Function, Library, Mapping, Opaque, Sequence, Union, Value

if TYPE_CHECKING:
    from advisor.read.python.project import Project

COMPUTED = "a computation"  # the tag of what could not be read
SHAPE = pattern(  # of a line: what begins with a plain byte is found ten times as fast
    rb"\n(?:_base_\s*=|with read_base\(\)"
    rb"|(optimizer|optim_wrapper|lr_config|param_scheduler|optimizer_config|train_cfg)\s*=\s*(dict\(|\{|\[))"
)
PLAIN = pattern(rb"^([A-Za-z_]\w*\s*(:\s*\w+\s*)?=|[\s#\])}\"']|import (os|time|math)\b|$)")  # a line of a file of assignments
_PROGRAM = pattern(rb"^(class|if __name__|async def)\b|^@|\.backward\(", re.MULTILINE)


def is_config(data: bytes) -> bool:
    """True for the text of a Python file that is a config of OpenMMLab's kind and no program."""
    return b"dict(" in data and SHAPE.search(b"\n" + data) is not None and _PROGRAM.search(data) is None


def is_settings(data: bytes) -> bool:
    """True for a file of plain assignments, which programs run or import as their config."""
    return b"(" not in re.sub(rb"#.*|time\.time\(\)", b"", data) and all(PLAIN.match(line) for line in data.splitlines())


def load(project: Project, path: str, chain: tuple[str, ...] = ()) -> tuple[Mapped | Broken, list[Broken]]:
    """The config with its bases merged under it, and what is wrong with those."""
    key = f"config\0{path}"
    held = project.remembered.get(key)
    if held is None:
        held = project.remembered[key] = _load(project, path, (*chain, path))
    assert isinstance(held, tuple)
    return held


def _load(project: Project, path: str, chain: tuple[str, ...]) -> tuple[Mapped | Broken, list[Broken]]:
    from advisor.read.python.reader import Reader

    source = project.load(path)
    if isinstance(source, Broken):
        return source, []
    reader = Reader(project, source)
    imports.run_module(reader, reader.entry, main=False)
    own = node_of(Mapping({"items": _bound(reader.entry.namespace), "exact": True}, Place(source.display, 1)), Place(source.display, 1))
    assert isinstance(own, Mapped)
    broken: list[Broken] = []
    under: Mapped | None = None
    named = own.entries.pop("_base_", None)
    listed = named[0] if named is not None else None
    for item in listed.items if isinstance(listed, Listed) else (listed,) if listed is not None else ():
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            continue
        if "::" in item.value:
            broken.append(Broken(item.place, kind="include", detail=f"`_base_` names {item.value}, a config of an installed library", skipped=True))
            continue
        full = os.path.normpath(os.path.join(os.path.dirname(path), item.value))
        if full in chain or len(chain) > LONGEST_CHAIN:
            broken.append(Broken(item.place, kind="include", detail=f"`_base_` leads back to {project.display(full)}"))
            continue
        if os.path.basename(full) not in project.listing(os.path.dirname(full)):
            broken.append(missing_base(item.place, "_base_", item.value, full))
            continue
        base, more = load(project, full, chain)
        broken += more
        if isinstance(base, Mapped):
            under = base if under is None else merge(under, base)
    return (own if under is None else _merged(under, own)), broken


def _bound(namespace: dict[str, Value]) -> dict[str, Value]:
    """The names that a config binds; imports and helpers are left out."""
    return {
        name: value
        for name, value in namespace.items()
        if not name.startswith("__") and not isinstance(value, (Function, Class, Library)) and type(value).__name__ != "Module"
    }


def _merged(under: Mapped, over: Mapped) -> Mapped:
    """A deep merge in which `_delete_=True` drops what the base says."""
    entries = dict(under.entries)
    for key, (value, place) in over.entries.items():
        held = entries.get(key)
        if isinstance(value, Mapped):
            deleted = value.get("_delete_")
            if isinstance(deleted, Scalar) and deleted.value is True:
                value = Mapped({name: entry for name, entry in value.entries.items() if name != "_delete_"}, value.place)
            elif held is not None and isinstance(held[0], Mapped):
                value = _merged(held[0], value)
        entries[key] = (value, place)
    return Mapped(entries, over.place)


def node_of(value: Value, outer: Place) -> Node:
    """A value as a config tree; what is not known is a scalar that says so by its tag."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Mapping):
        place = value.place or outer
        return Mapped({key: (child := node_of(item, place), child.place) for key, item in value.items.items()}, place)
    if isinstance(value, Sequence) and value.kind in ("list", "tuple") and value.exact:
        return Listed([node_of(item, outer) for item in value.items], outer)
    if isinstance(value, Constant):
        place = value.place or outer
        return Scalar(value.value, str(value.value), place, value.value, quoted=isinstance(value.value, str))
    if isinstance(value, (Library, Class)):
        return Scalar(value.name.rpartition(".")[2], value.name, outer, value.name.rpartition(".")[2], quoted=True)
    return Scalar(None, getattr(value, "why", "") if isinstance(value, Opaque) else "", outer, tag=COMPUTED)
