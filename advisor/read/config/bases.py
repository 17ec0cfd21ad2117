"""Config files that build on others: `_BASE_` (yacs, Detectron2), merged deeply, each value keeping its own file and line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.config import tree
from advisor.read.config.tree import Listed, Mapped, Node, Scalar

if TYPE_CHECKING:
    from advisor.read.python.project import Project

KEYS = ("_BASE_", "_base_")
LONGEST_CHAIN = 10


def resolve(project: Project, path: str, root: Mapped) -> tuple[Mapped, list[Broken]]:
    """The file with its bases merged under it, and what is wrong with them: a base that is missing, broken, or a cycle."""
    broken: list[Broken] = []
    return _resolve(project, path, root, [path], broken), broken


def _resolve(project: Project, path: str, root: Mapped, chain: list[str], broken: list[Broken]) -> Mapped:
    key = next((key for key in KEYS if key in root.entries), None)
    if key is None:
        return root
    named, at = root.entries[key]
    names = named.items if isinstance(named, Listed) else [named]
    merged: Mapped = Mapped({}, root.place)
    for item in names:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            continue
        full = os.path.normpath(os.path.join(os.path.dirname(path), os.path.expanduser(item.value)))
        if full in chain or len(chain) > LONGEST_CHAIN:
            broken.append(_problem(item.place, f"`{key}` leads back to {project.display(full)}"))
            continue
        if "://" in item.value or "${" in item.value or not item.value.endswith((".yaml", ".yml", ".json")):
            continue
        data = project.read_bytes(full)
        if isinstance(data, Broken):
            broken.append(data if data.kind == "not-fetched" else missing_base(item.place, key, item.value, full))
            continue
        display = project.display(full)
        text = data.decode("utf-8-sig", "replace")
        project.texts[display] = text
        base = tree.load(text, display)
        if isinstance(base, Broken):
            broken.append(base)
        elif isinstance(base, Mapped):
            merged = merge(merged, _resolve(project, full, base, [*chain, full], broken))
    del at
    return merge(merged, root)


def missing_base(place: Place, key: str, name: str, path: str) -> Broken:
    """A base that is not there. Where its whole folder is not, the config was written to be put into another project, and that is no fault."""
    broken = _problem(place, f"`{key}` names {name}, which is not there")
    broken.skipped = not os.path.isdir(os.path.dirname(path))
    return broken


def _problem(place: Place, detail: str) -> Broken:
    return Broken(place, kind="include", detail=detail)


def merge(under: Mapped, over: Mapped) -> Mapped:
    """A mapping with the entries of both; where both have a mapping they are merged, else `over` wins."""
    entries = dict(under.entries)
    for key, (value, place) in over.entries.items():
        held = entries.get(key)
        joined: Node = merge(held[0], value) if held is not None and isinstance(held[0], Mapped) and isinstance(value, Mapped) else value
        entries[key] = (joined, place)
    return Mapped(entries, over.place, over.tag, list(over.duplicates), set(over.own))
