"""JSON with a place for every key and value; errors with line and column."""

from __future__ import annotations

import json
import re
from typing import Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.config.tree import DEEPEST, Listed, Mapped, Node, Scalar, duplicate

_SPACE = pattern(r"[ \t\r\n]*")
_NUMBER = pattern(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|-?Infinity|NaN|true|false|null")
_SETTING = pattern(r"\A\w+:(\s|$)", re.MULTILINE)  # with no quotes, no brace around
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def parse(text: str, display: str) -> Node | Broken | None:
    """The tree of a JSON text."""
    if not text.strip():
        return None
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        commented = text.startswith(("//", "/*"), error.pos)  # the settings of an editor or compiler; what reads it knows how
        other = not error.pos and text[0].isalpha() and _SETTING.search(text) is not None  # YAML, as a program may write it whatever the name
        detail = "it is JSON with comments" if commented else "it is YAML by the name of JSON" if other else error.msg
        return Broken(Place(display, error.lineno, error.colno), kind="json", detail=detail, skipped=commented or other)
    except (RecursionError, ValueError):
        return Broken(Place(display, 1), kind="json", detail="it is nested too deeply or holds numbers that cannot be read")
    return _Scanner(text, display).run()


class _Scanner:
    """Walks a text that is known to be valid JSON and notes where everything stands."""

    def __init__(self, text: str, display: str) -> None:
        self.text, self.display, self.at = text, display, 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.line = 0

    def run(self) -> Node:
        """The root."""
        return self.value(0)

    def place(self, start: int, end: int) -> Place:
        """A span as a place; spans come in order, so the line only moves on."""
        while self.line + 1 < len(self.starts) and self.starts[self.line + 1] <= start:
            self.line += 1
        last = self.line
        while last + 1 < len(self.starts) and self.starts[last + 1] <= end:
            last += 1
        return Place(self.display, self.line + 1, start - self.starts[self.line] + 1, last + 1, end - self.starts[last] + 1)

    def space(self) -> None:
        """Skips white space."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def value(self, depth: int) -> Node:
        """The value that begins here."""
        self.space()
        start, text = self.at, self.text
        if text[start] == "{" and depth < DEEPEST:
            mapped = Mapped({}, self.place(start, start + 1))
            self.at += 1
            self.space()
            while text[self.at] != "}":
                key_start = self.at
                key, self.at = json.decoder.scanstring(text, self.at + 1)  # type: ignore[attr-defined]
                key_place = self.place(key_start, self.at)
                self.space()
                self.at += 1
                value = self.value(depth + 1)
                if key in mapped.entries:
                    mapped.duplicates.append(duplicate(key, mapped.entries[key], (value, key_place)))
                mapped.entries[key] = (value, key_place)
                self.space()
                if text[self.at] == ",":
                    self.at += 1
                    self.space()
            self.at += 1
            return mapped
        if text[start] == "[" and depth < DEEPEST:
            listed = Listed([], self.place(start, start + 1))
            self.at += 1
            self.space()
            while text[self.at] != "]":
                listed.items.append(self.value(depth + 1))
                self.space()
                if text[self.at] == ",":
                    self.at += 1
                    self.space()
            self.at += 1
            return listed
        if text[start] == '"':
            content, self.at = json.decoder.scanstring(text, start + 1)  # type: ignore[attr-defined]
            return Scalar(content, content, self.place(start, self.at), content, quoted=True)
        match = _NUMBER.match(text, start)
        if match is None:  # deeper than is read: skipped as one value
            found, self.at = json.JSONDecoder().raw_decode(text, start)
            return Scalar(found, "", self.place(start, start + 1), found)
        self.at = match.end()
        word = match.group()
        value = _WORDS[word] if word in _WORDS else json.loads(word)
        return Scalar(value, word, self.place(start, self.at), value)
