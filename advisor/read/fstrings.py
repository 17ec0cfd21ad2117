"""f-strings as Python 3.12 allows them, for an older Python that has to parse them: each that it refuses gives way to one of unknown text."""

from __future__ import annotations

from advisor.model.pattern import pattern

START = pattern(r"#[^\n]*|(?<!\w)([rRbBuUfF]{0,2})('''|\"\"\"|'|\")")  # a comment, or the prefix and quote of a string
UNKNOWN = 'f"""{oct}'  # nobody gives this name to anything else, and what it formats is known to nobody


class _Unfinished(Exception):
    """A string or a field without an end: the text is no Python of any version."""


def for_older(text: str) -> str | None:
    """The text with those f-strings replaced, as long and over as many lines as they are. None where none is refused, or one never ends."""
    pieces: list[str] = []
    done = at = 0
    try:
        while (match := START.search(text, at)) is not None:
            at = match.end()
            if match.group(2) is None:
                continue
            at, newer = _string(text, at, match.group(1), match.group(2))
            if newer:
                pieces += [text[done : match.start()], _unknown(text[match.start() : at])]
                done = at
    except _Unfinished:
        return None
    return "".join([*pieces, text[done:]]) if pieces else None


def _unknown(literal: str) -> str:
    """An f-string of unknown text in place of another."""
    *before, last = literal.split("\n")
    if before:
        return UNKNOWN + "\n" * len(before) + " " * (len(last) - 3) + '"""'
    return UNKNOWN + " " * (len(last) - len(UNKNOWN) - 3) + '"""'


def _string(text: str, at: int, prefix: str, quote: str) -> tuple[int, bool]:
    """Where a string ends whose content begins here, and whether an older Python refuses it."""
    formatted = "f" in prefix.lower()
    newer = False
    while not text.startswith(quote, at):
        letter = text[at : at + 1]
        if not letter or (letter == "\n" and len(quote) == 1):
            raise _Unfinished
        if letter == "\\":
            at += 2
        elif formatted and letter == "{" and not text.startswith("{{", at):
            at, refused = _field(text, at + 1, quote)
            newer = newer or refused
        else:
            at += 2 if formatted and text.startswith(("{{", "}}"), at) else 1
    return at + len(quote), newer


def _field(text: str, at: int, quote: str) -> tuple[int, bool]:
    """Where the field of an f-string ends whose expression begins here, and whether an older Python refuses it."""
    newer, depth = False, 0
    while True:
        letter = text[at : at + 1]
        match = START.match(text, at)
        if not letter:
            raise _Unfinished
        if match is not None and match.group(2) is None:
            at, newer = match.end(), True
        elif match is not None:
            within = match.group(2)
            end, refused = _string(text, match.end(), match.group(1), within)
            newer = newer or refused or "\\" in text[at:end] or within == quote or (len(quote) == 1 and (within[0] == quote or "\n" in text[at:end]))
            at = end
        elif letter == "}" and depth == 0:
            return at + 1, newer
        elif letter == ":" and depth == 0:
            at, refused = _format(text, at + 1, quote)
            return at, newer or refused
        else:
            depth += (letter in "([{") - (letter in ")]}")
            newer = newer or letter == "\\" or (letter == "\n" and len(quote) == 1)
            at += 1


def _format(text: str, at: int, quote: str) -> tuple[int, bool]:
    """Where the format of a field ends, which may have fields of its own, and whether an older Python refuses it."""
    newer = False
    while not text.startswith("}", at):
        letter = text[at : at + 1]
        if not letter or text.startswith(quote, at) or (letter == "\n" and len(quote) == 1):
            raise _Unfinished
        at += 1
        if letter == "{":
            at, refused = _field(text, at, quote)
            newer = newer or refused
    return at + 1, newer
