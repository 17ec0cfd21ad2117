"""TOML by tomllib; places are found again by section and key."""

from __future__ import annotations

from typing import Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.config.tree import Listed, Mapped, Node, Scalar

_SECTION = pattern(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}")
_KEY = pattern(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*""")
_AT = pattern(r"at line (\d+), column (\d+)")


def parse(text: str, display: str) -> Node | Broken | None:
    """The tree of a TOML text."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        content = tomllib.loads(text)
    except RecursionError:
        return Broken(Place(display, 1), kind="toml", detail="it is nested too deeply")
    except (tomllib.TOMLDecodeError, ValueError) as error:
        match = _AT.search(str(error))
        line, column = (int(match.group(1)), int(match.group(2))) if match else (1, 1)
        return Broken(Place(display, line, column), kind="toml", detail=_AT.sub("", str(error)).rstrip(" ()"))
    return _node(content, (), _places(text, display), Place(display, 1))


def _places(text: str, display: str) -> dict[tuple[str, ...], Place]:
    found: dict[tuple[str, ...], Place] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _SECTION.match(line)
        key = _KEY.match(line)
        if header and not key:
            section = _path(header.group(1))
            found.setdefault(section, Place(display, number, 1, number, len(line) + 1))
        elif key:
            found.setdefault((*section, *_path(key.group(1))), Place(display, number, key.end() + 1, number, len(line.rstrip()) + 1))
    return found


def _path(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


def _node(value: Any, path: tuple[str, ...], places: dict[tuple[str, ...], Place], outer: Place) -> Node:
    place = places.get(path, outer)
    if isinstance(value, dict):
        return Mapped({key: (_node(item, (*path, key), places, place), places.get((*path, key), place)) for key, item in value.items()}, place)
    if isinstance(value, list):
        return Listed([_node(item, path, places, place) for item in value], place)
    return Scalar(value, str(value), place, value, quoted=isinstance(value, str))
