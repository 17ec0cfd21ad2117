"""The tree that every config format is read into: mappings, lists and scalars, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Union

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken, DuplicateKey
from advisor.model.record import dataclass, field
from advisor.model.source import Known, Link, Place

MOST_NODES = 200_000  # a config of more nodes (an alias bomb, data) is not read
DEEPEST = 100
_TEMPLATE = pattern(r"\{%-?\s*(?:if|for|set|raw|include|macro|block)\b|\{\{[-\s]*[.\w]")  # Jinja, Go, cookiecutter: no config yet


@dataclass(slots=True, eq=False)
class Scalar:
    """One value. `value` is what PyYAML (YAML 1.1) makes of it, `typed` what OmegaConf, jsonargparse and YAML 1.2 make of it."""

    value: Any
    text: str
    place: Place
    typed: Any = None
    quoted: bool = False
    tag: str | None = None


@dataclass(slots=True, eq=False)
class Listed:
    """A sequence."""

    items: list[Node]
    place: Place
    tag: str | None = None


@dataclass(slots=True, eq=False)
class Mapped:
    """A mapping: key -> (value, place of the key). `duplicates`: keys given twice, the later one with the earlier one's place and value."""

    entries: dict[Any, tuple[Node, Place]]
    place: Place
    tag: str | None = None
    duplicates: list[DuplicateKey] = field(default_factory=list)
    own: set[Any] = field(default_factory=set)  # keys written here, not merged in

    def get(self, key: Any) -> Node | None:
        """The value under a key, None when it is not there."""
        found = self.entries.get(key)
        return found[0] if found is not None else None

    def keys(self) -> frozenset[str]:
        """The text keys."""
        return frozenset(key for key in self.entries if isinstance(key, str))


Node = Union[Scalar, Listed, Mapped]


def find(node: Node | None, path: str) -> Node | None:
    """The node under a dotted path."""
    for part in path.split("."):
        if isinstance(node, Mapped):
            node = node.get(part)
        elif isinstance(node, Listed) and part.isdigit() and int(part) < len(node.items):
            node = node.items[int(part)]
        else:
            return None
    return node


def plain(node: Node, typed: bool = False) -> Any:
    """The tree as plain data, read as PyYAML would, or (`typed`) as OmegaConf would."""
    if isinstance(node, Mapped):
        return {key: plain(value, typed) for key, (value, _) in node.entries.items()}
    if isinstance(node, Listed):
        return [plain(item, typed) for item in node.items]
    return node.typed if typed else node.value


def known(node: Node, path: str, typed: bool = True) -> Known:
    """A node as a setting with its place in the config."""
    place = node.place
    return Known(plain(node, typed), (Link(place.file, place.line, path),), place=place)


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node, Place]]:
    """Every (dotted path, node, place of its key) of the tree."""
    if isinstance(node, Mapped):
        for key, (value, place) in node.entries.items():
            inner = f"{path}.{key}" if path else str(key)
            yield inner, value, place
            yield from walk(value, inner)
    elif isinstance(node, Listed):
        for index, item in enumerate(node.items):
            inner = f"{path}.{index}" if path else str(index)
            yield inner, item, item.place
            yield from walk(item, inner)


def duplicates(node: Node | None) -> Iterator[DuplicateKey]:
    """Every key of the tree that is given twice; behind an alias it may come more than once."""
    if isinstance(node, Mapped):
        yield from node.duplicates
        for value, _ in node.entries.values():
            yield from duplicates(value)
    elif isinstance(node, Listed):
        for item in node.items:
            yield from duplicates(item)


def duplicate(key: Any, earlier: tuple[Node, Place], later: tuple[Node, Place]) -> DuplicateKey:
    """The fact that a mapping gives a key twice."""
    texts = [node.text if isinstance(node, Scalar) else None for node, _ in (earlier, later)]
    return DuplicateKey(later[1], name=str(key), first=earlier[1], earlier=texts[0], later=texts[1])


def load(text: str, display: str) -> Node | Broken | None:
    """The tree of a config file, by its suffix; None for an empty file."""
    root = _parse(text, display)
    if isinstance(root, Broken):
        from advisor.read.syntax import merge_conflict

        root = merge_conflict(text, display) or root
        root.skipped = root.skipped or _TEMPLATE.search(text) is not None
    return root


def _parse(text: str, display: str) -> Node | Broken | None:
    if display.endswith(".json"):
        from advisor.read.config.json import parse as parse_json

        return parse_json(text, display)
    if display.endswith(".toml"):
        from advisor.read.config.toml import parse as parse_toml

        return parse_toml(text, display)
    from advisor.read.config.yaml import parse as parse_yaml

    return parse_yaml(text, display)
