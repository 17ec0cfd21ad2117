"""Shell text taken apart: logical lines of words, and the variables and arrays that they give values to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.model.pattern import pattern
from advisor.model.record import dataclass, field

LONGEST_ARRAY = 200  # words of one that is not closed

_VARIABLE = pattern(r"\$\{(\w+)(?::?[-=]([^}]*))?\}|\$\((\w+)\)|\$(\w+)")
ASSIGNED = pattern(r"^\s*(?:export\s+|local\s+|readonly\s+|declare\s+(?:-\w+\s+)?|set\s+)?([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$")
_ARRAY = pattern(r"^([A-Za-z_]\w*)(\+?)=\(")  # ARGS=(--lr 0.1)
_ARRAY_PUT = pattern(r"""^"?\$\{(\w+)\[[@*]\]\}"?$""")
_QUOTED = pattern(r"""(["'])(?:\\.|(?!\1).)*\1""")
LOOP = pattern(r"^\s*for\s+(\w+)\s+in\s+(.*?)\s*(?:;|$)")
_TOKEN = pattern(r"""(?:[^\s"'\\;|&#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)\#)+|;;?|\|\|?|&&?|\#.*""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command line; `text` is None where it holds a variable that could not be followed."""

    text: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line: its words, and whether it may give a variable a value."""

    words: list[Word]
    whole: str
    assigns: bool

    @classmethod
    def of(cls, words: list[Word]) -> Line:
        """The line that has these words."""
        whole = " ".join(word.text or "" for word in words)
        return cls(words, whole, LOOP.match(whole) is not None or ASSIGNED.match(whole) is not None or "=(" in whole)


@dataclass(slots=True)
class Variables:
    """The variables of one script; None for what is assigned differently at different places."""

    values: dict[str, str | None] = field(default_factory=dict)
    arrays: dict[str, list[Word] | None] = field(default_factory=dict)

    def hold(self, name: str, words: list[Word], more: bool, line: int) -> None:
        """An array; what is added to it later may depend on anything."""
        if more:
            self.arrays[name] = [*(self.arrays.get(name) or []), Word(None, line)]
        else:
            self.arrays[name] = words if name not in self.arrays else None

    def assign(self, name: str, value: str | None) -> None:
        """Notes a value."""
        self.values[name] = value if self.values.get(name, value) == value else None

    def expanded(self, text: str) -> str | None:
        """The text with its variables put in; None when one of them is not known."""
        known = True

        def put(match: re.Match[str]) -> str:
            nonlocal known
            name = next(filter(None, (match.group(1), match.group(3), match.group(4))), "")
            value = self.values.get(name, match.group(2))
            known = known and value is not None
            return value if value is not None else match.group(0)

        text = _VARIABLE.sub(put, text)
        return text if known and "`" not in text and "$" not in text else None


def lines_of(text: str) -> Iterator[Line]:
    """The logical lines of a text; a backslash at the end goes on with the next line."""
    held: list[Word] = []
    depth = 0  # of an array that goes on until it is closed
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if held and line.startswith("#"):
            continue  # a comment between the lines of one command
        if not held:
            line = line.lstrip("$>`@- ") if line[:1] in "$>`@-" else line
            depth = 0
        goes_on = line.endswith(("\\", "^"))
        for match in _TOKEN.finditer(line[:-1] if goes_on else line):
            token = match.group()
            if token.startswith("#"):
                break
            begun = _ARRAY.match(token) if "=(" in token else None
            pieces = (token[: begun.end()], token[begun.end() :]) if begun is not None else (token,)
            held += [Word(piece, number) for piece in pieces if piece]
            depth += _opened(token) if depth or begun is not None else 0
        if held and not goes_on and (depth <= 0 or len(held) > LONGEST_ARRAY):
            yield Line.of(held)
            held = []
    if held:
        yield Line.of(held)


def commands_of(words: list[Word]) -> Iterator[list[Word]]:
    """The commands of a line."""
    part: list[Word] = []
    for word in words:
        if word.text in (";", ";;", "&&", "||", "|", "&"):
            if part:
                yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _opened(text: str) -> int:
    """How many parentheses a word opens and leaves open; those in quotes are none."""
    bare = _QUOTED.sub("", text)
    return bare.count("(") - bare.count(")")


def closed(text: str) -> tuple[str, bool]:
    """A word without the parenthesis that closes what began before it: an array, or commands that run by themselves."""
    closes = text.endswith(")") and _opened(text) < 0
    return (text[:-1] if closes else text), closes


def hold_arrays(words: list[Word], variables: Variables) -> None:
    """Notes the arrays that a line makes, or adds to."""
    for part in commands_of(words):
        for index, word in enumerate(part):
            array = _ARRAY.match(word.text) if word.text and "=(" in word.text else None
            if array is not None:
                inside = [Word(closed(one.text or "")[0], one.line) for one in part[index + 1 :]]
                variables.hold(array.group(1), list(put_in([one for one in inside if one.text], variables)), bool(array.group(2)), word.line)
                break


def put_in(words: list[Word], variables: Variables) -> Iterator[Word]:
    """The words with those of an array in its place."""
    for word in words:
        array = _ARRAY_PUT.match(word.text) if word.text and "${" in word.text else None
        if array is None:
            yield word
        else:
            held = variables.arrays.get(array.group(1))
            yield from held if held is not None else [Word(None, word.line)]


def unquoted(text: str) -> str:
    """A word without its quotes."""
    text = text.strip().strip("`")
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if '"' not in text and "'" not in text:
        return text
    return re.sub(r"""(["'])(.*?)\1""", r"\2", text)
