"""OmegaConf's `${a.b}` in a config tree: references to other keys, texts built from them, and the environment's defaults."""

from __future__ import annotations

import re

from advisor.model.pattern import pattern
from advisor.read.config.tree import Listed, Mapped, Node, Scalar

LONGEST_CHAIN = 8
SECTION = 4  # a section within a section counts as so many steps of a chain
_WHOLE = pattern(r"^\$\{([^${}]*)\}$")
_PART = pattern(r"\$\{([^${}]*)\}")


def resolve(root: Node) -> Node:
    """The tree with every reference that can be followed replaced by what it names; the others stay as they are written."""
    return _resolve(root, root, ())


def _resolve(node: Node, root: Node, path: tuple[str, ...], depth: int = 0) -> Node:
    if isinstance(node, Mapped):
        entries = {key: (_resolve(value, root, (*path, str(key)), depth), place) for key, (value, place) in node.entries.items()}
        return Mapped(entries, node.place, node.tag, node.duplicates, node.own)
    if isinstance(node, Listed):
        return Listed([_resolve(item, root, (*path, str(index)), depth) for index, item in enumerate(node.items)], node.place, node.tag)
    if isinstance(node.value, str) and "${" in node.value:
        return followed(node, root, path, depth)
    return node


def followed(node: Scalar, root: Node, path: tuple[str, ...], depth: int = 0) -> Node:
    """What an interpolated scalar stands for; itself when that cannot be told."""
    text = str(node.value)
    whole = _WHOLE.match(text)
    if whole is not None:
        return _named(whole.group(1), node, root, path, depth) or node
    parts: list[str] = []
    end = 0
    for match in _PART.finditer(text):
        found = _named(match.group(1), node, root, path, depth)
        if not isinstance(found, Scalar) or "${" in str(found.value):
            return node
        parts += [text[end : match.start()], found.text if isinstance(found.value, float) else str(found.typed)]
        end = match.end()
    built = "".join([*parts, text[end:]])
    return node if "${" in built else Scalar(built, built, node.place, built, True)


def _named(reference: str, node: Scalar, root: Node, path: tuple[str, ...], depth: int) -> Node | None:
    if depth > LONGEST_CHAIN:
        return None
    name, colon, rest = reference.partition(":")
    if colon:
        if name.strip() in ("oc.env", "env") and "," in rest:
            from advisor.read.config.yaml import parse

            default = parse(rest.partition(",")[2].strip(), node.place.file)
            return Scalar(default.value, default.text, node.place, default.typed) if isinstance(default, Scalar) else None
        return None
    dots = len(reference) - len(reference.lstrip("."))
    base = path[:-dots] if dots else ()
    steps = [*base, *(step for step in re.split(r"[.\[\]]+", reference.lstrip(".")) if step)]
    found: Node | None = root
    for index, step in enumerate(steps):
        if isinstance(found, Scalar) and "${" in str(found.value):
            found = followed(found, root, tuple(steps[:index]), depth + 1)
        if isinstance(found, Mapped):
            found = found.get(step) if step in found.entries else found.get(int(step)) if step.isdigit() else None
        elif isinstance(found, Listed) and step.isdigit() and int(step) < len(found.items):
            found = found.items[int(step)]
        else:
            return None
    if isinstance(found, Scalar) and isinstance(found.value, str) and "${" in found.value:
        return followed(found, root, tuple(steps), depth + 1)
    if isinstance(found, (Mapped, Listed)):
        return _resolve(found, root, tuple(steps), depth + SECTION)  # a section that another one names has references of its own
    return found
