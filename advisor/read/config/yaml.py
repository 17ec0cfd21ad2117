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
        return _node(root, display, {}, set(), 0)[0]
    except _TooLarge:
        return Broken(Place(display, 1), kind="yaml", detail=f"with its aliases expanded it has more than {MOST_NODES:,} values")


def _place(node: Any, display: str) -> Place:
    start, end = node.start_mark, node.end_mark
    return Place(display, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _node(node: Any, display: str, done: dict[int, tuple[Node, int]], open_nodes: set[int], depth: int) -> tuple[Node, int]:
    """A node of our tree and how many nodes it expands to. An alias to what is still open (a cycle) reads as null."""
    known = done.get(id(node))
    if known is not None:
        return known
    place = _place(node, display)
    if id(node) in open_nodes or depth > DEEPEST:
        return Scalar(None, "", place), 1
    tag = node.tag if not node.tag.startswith(_PREFIX) else None
    if isinstance(node, yaml.ScalarNode):
        scalar = Scalar(_construct(node), node.value, place, quoted=bool(node.style), tag=tag)
        scalar.typed = _typed(node, scalar.value)
        done[id(node)] = scalar, 1
        return scalar, 1
    open_nodes.add(id(node))
    size = 1
    result: Node
    if isinstance(node, yaml.SequenceNode):
        result = listed = Listed([], place, tag)
        for item in node.value:
            inner, inner_size = _node(item, display, done, open_nodes, depth + 1)
            listed.items.append(inner)
            size += inner_size
    else:
        result = mapped = Mapped({}, place, tag)
        for key_node, value_node in node.value:
            value, inner_size = _node(value_node, display, done, open_nodes, depth + 1)
            size += inner_size
            _entry(mapped, key_node, value, display)
    if size > MOST_NODES:
        raise _TooLarge
    open_nodes.discard(id(node))
    done[id(node)] = result, size
    return result, size


def _entry(mapped: Mapped, key_node: Any, value: Node, display: str) -> None:
    if key_node.tag == _PREFIX + "merge":
        for source in value.items if isinstance(value, Listed) else (value,):
            if isinstance(source, Mapped):
                for merged_key, merged in source.entries.items():
                    mapped.entries.setdefault(merged_key, merged)
        return
    here = _place(key_node, display)
    key = _construct(key_node) if isinstance(key_node, yaml.ScalarNode) else f"key at line {here.line}"
    if key in mapped.own:
        mapped.duplicates.append(duplicate(key, mapped.entries[key], (value, here)))
    mapped.own.add(key)
    mapped.entries[key] = (value, here)


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
    if isinstance(value, str) and text[:1] in _NUMERIC and node.tag == _PREFIX + "str":
        if _INT.match(text):
            return int(text.replace("_", ""))
        if _FLOAT.match(text):
            try:
                return float(text.replace("_", ""))
            except ValueError:
                return value
    return value
