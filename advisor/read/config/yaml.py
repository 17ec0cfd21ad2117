"""YAML by PyYAML's composer: positions kept, tags kept, nothing constructed, aliases shared and counted."""

from __future__ import annotations

from typing import Any

import yaml

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.config.tree import DEEPEST, MOST_NODES, Listed, Mapped, Node, Scalar, duplicate

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FLOAT = pattern(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$")
_INT = pattern(r"^[-+]?\d[\d_]*$")
NO_TOKEN = "found character that cannot start any token"  # said of tabs, too
_NUMERIC = "+-.0123456789"  # what a number may begin with
_PREFIX = "tag:yaml.org,2002:"
_TEXT, _MERGE = _PREFIX + "str", _PREFIX + "merge"


class _TooLarge(Exception):
    """More nodes than a config has."""


def parse(text: str, display: str) -> Node | Broken | None:
    """The tree of the first document. Errors come back as Broken with their line and column."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        message = str(getattr(error, "problem", None) or error).splitlines()[0]
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if "expected a single document" in str(getattr(error, "context", "")):
            return _first_document(text, display)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if message == NO_TOKEN and "\t" in text.splitlines()[line - 1][:column]:
            message = "a tab stands where YAML wants spaces"
        if isinstance(error, yaml.reader.ReaderError):
            line, message = text.count("\n", 0, error.position) + 1, f"it contains the character {error.character:#x}: {error.reason}"
        return Broken(Place(display, line, column), kind="yaml", detail=message)
    except (RecursionError, ValueError) as error:
        return Broken(Place(display, 1), kind="yaml", detail=f"it is nested too deeply or cannot be read ({type(error).__name__})")
    return _convert(root, display)


def _first_document(text: str, display: str) -> Node | Broken | None:
    try:
        root = next(iter(yaml.compose_all(text, Loader=_LOADER)), None)
    except yaml.YAMLError as error:
        return Broken(Place(display, 1), kind="yaml", detail=str(error).splitlines()[0])
    return _convert(root, display)


def _convert(root: Any, display: str) -> Node | Broken | None:
    if root is None:
        return None
    try:
        return _Tree(display).node(root, 0)
    except _TooLarge:
        return Broken(Place(display, 1), kind="yaml", detail=f"with its aliases expanded it has more than {MOST_NODES:,} values")


class _Tree:
    """Makes our nodes of PyYAML's, those behind an alias once."""

    def __init__(self, display: str) -> None:
        self.display = display
        self.size = 0  # nodes made so far, aliases expanded
        self.done: dict[Any, tuple[Node, int]] = {}  # collections, and the nodes that each expands to
        self.open: set[Any] = set()

    def node(self, node: Any, depth: int) -> Node:
        """A node. An alias to what is still open (a cycle) reads as null."""
        self.size += 1
        if type(node) is yaml.ScalarNode:
            return self.scalar(node)
        known = self.done.get(node)
        if known is not None:
            self.size += known[1] - 1
            self.check()
            return known[0]
        if depth > DEEPEST or node in self.open:
            return Scalar(None, "", self.place(node))
        self.open.add(node)
        before, tag = self.size - 1, node.tag if not node.tag.startswith(_PREFIX) else None
        made = self.listed(node, tag, depth) if type(node) is yaml.SequenceNode else self.mapped(node, tag, depth)
        self.check()
        self.open.discard(node)
        self.done[node] = made, self.size - before
        return made

    def check(self) -> None:
        """No config is as large as that."""
        if self.size > MOST_NODES:
            raise _TooLarge

    def place(self, node: Any) -> Place:
        """Where a node stands."""
        start, end = node.start_mark, node.end_mark
        return Place(self.display, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def scalar(self, node: Any) -> Scalar:
        """One value."""
        tag, text = node.tag, node.value
        value = text if tag == _TEXT else _construct(node)
        quoted, own = bool(node.style), None if tag.startswith(_PREFIX) else tag
        typed = value if quoted or (value is text and text[:1] not in _NUMERIC) else _typed(node, value)
        return Scalar(value, text, self.place(node), typed, quoted, own)

    def listed(self, node: Any, tag: str | None, depth: int) -> Listed:
        """A sequence."""
        return Listed([self.node(item, depth + 1) for item in node.value], self.place(node), tag)

    def mapped(self, node: Any, tag: str | None, depth: int) -> Mapped:
        """A mapping."""
        entries: dict[Any, tuple[Node, Place]] = {}
        made = Mapped(entries, self.place(node), tag)
        own = made.own
        for key_node, value_node in node.value:
            value = self.node(value_node, depth + 1)
            if key_node.tag == _MERGE:
                _merge(made, value)
                continue
            here = self.place(key_node)
            key = key_node.value
            if key_node.tag != _TEXT:
                key = _construct(key_node) if type(key_node) is yaml.ScalarNode else f"key at line {here.line}"
            if key in own:
                made.duplicates.append(duplicate(key, entries[key], (value, here)))
            own.add(key)
            entries[key] = (value, here)
        return made


def _merge(mapped: Mapped, value: Node) -> None:
    for source in value.items if isinstance(value, Listed) else (value,):
        if isinstance(source, Mapped):
            for merged_key, merged in source.entries.items():
                mapped.entries.setdefault(merged_key, merged)


def _construct(node: Any) -> Any:
    """What PyYAML's safe loader makes of a scalar."""
    text, tag = node.value, node.tag.removeprefix(_PREFIX)
    plain = text.replace("_", "")
    try:
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("yes", "true", "on")
        if tag == "int":
            sign = -1 if plain.startswith("-") else 1
            digits = plain.lstrip("+-")
            if digits.startswith("0b"):
                return sign * int(digits[2:], 2)
            if digits.startswith("0x"):
                return sign * int(digits[2:], 16)
            if ":" in digits:
                total = 0
                for part in digits.split(":"):
                    total = total * 60 + int(part)
                return sign * total
            return sign * int(digits, 8 if digits.startswith("0") and len(digits) > 1 else 10)
        if tag == "float":
            low = plain.lower().lstrip("+-")
            if low == ".inf":
                return float("-inf") if plain.startswith("-") else float("inf")
            return float("nan") if low == ".nan" else float(plain) if ":" not in plain else text
    except ValueError:
        return text
    return text


def _typed(node: Any, value: Any) -> Any:
    """What OmegaConf and YAML 1.2 loaders make of the same scalar: 1e-4 is a number, yes and on are text."""
    if node.style or not isinstance(node, yaml.ScalarNode):
        return value
    text = node.value
    if isinstance(value, bool) and text.lower() not in ("true", "false"):
        return value if text.lower() in ("yes", "no", "on", "off") else text
    if isinstance(value, str) and text[:1] in _NUMERIC and node.tag == _TEXT:
        if _INT.match(text):
            return int(text.replace("_", ""))
        if _FLOAT.match(text):
            try:
                return float(text.replace("_", ""))
            except ValueError:
                return value
    return value
