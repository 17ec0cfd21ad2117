"""How a text begins that is put together of known and unknown pieces: the folder of a path is known before its file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from advisor.model.pattern import pattern
from advisor.model.sharding import of_rank
from advisor.model.source import Known
from advisor.read.python.values import Arguments, Constant, Instance, Opaque, Sequence, Union, Value, setting

_PERCENT = pattern(r"%(\(\w*\))?[-+ #0-9.*]*[a-zA-Z%]")
_BRACES = pattern(r"\{\{|\}\}|\{[^{}]*\}")


def beginning(value: Value | None) -> str:
    """How a text begins, as far as it is known; the whole of a known one. Of alternatives, the default one."""
    if isinstance(value, Union):
        value = value.members[0]
    if isinstance(value, Instance) and value.role == "path":
        value = value.data.get("path")
    if isinstance(value, Opaque):
        return value.head
    return str(value.value) if isinstance(value, Constant) and isinstance(value.value, (str, int, float)) else ""


def whole(value: Value) -> bool:
    """True when there is no more of a text than its beginning."""
    value = value.members[0] if isinstance(value, Union) else value
    if isinstance(value, Instance) and value.role == "path":
        value = value.data["path"]
    return isinstance(value, Constant)


def alike(*pieces: Value) -> bool:
    """True when pieces are the same in every process that trains, and with them a text that is made of them."""
    for piece in pieces:
        if isinstance(piece, Instance) and piece.role == "path":
            piece = piece.data["path"]
        known = setting(piece) if isinstance(piece, Constant) else None
        if isinstance(known, Known):
            if of_rank(known):
                return False
        elif not (piece.alike if isinstance(piece, Opaque) else isinstance(piece, Union) and alike(*piece.members)):
            return False
    return True


def alike_by(name: str, given: Arguments) -> bool:
    """The same of text.format(...)."""
    return name == "format" and given.exact and alike(*given.positional, *given.keywords.values())


def joined(pieces: Iterable[Value]) -> str:
    """The beginning of pieces that stand one after the other."""
    text = ""
    for piece in pieces:
        text += beginning(piece)
        if not whole(piece):
            break
    return text


def filled_in(template: str, given: Value) -> str:
    """template % given"""
    return _filled(template, _PERCENT, pieces(given) if not isinstance(given, Sequence) or given.exact else [], plain=("%%", "%"))


def method(text: str | bytes | float, name: str, arguments: Arguments) -> str:
    """text.format(...), text.replace(...) with arguments that are not known."""
    if not isinstance(text, str):
        return ""
    if name == "format":
        return _filled(text, _BRACES, arguments.positional if arguments.exact else [], plain=("{{", "{"))
    if name == "replace" and arguments.positional and whole(arguments.positional[0]):
        before, found, _ = text.partition(beginning(arguments.positional[0]) or text)
        return before if found else text
    return ""


def pieces(given: Value) -> list[Value]:
    """What `template % given` fills in."""
    return list(given.items) if isinstance(given, Sequence) else [given]


def _filled(template: str, fields: re.Pattern[str], pieces: list[Value], plain: tuple[str, str]) -> str:
    """The template up to the first field that is not known; fields without a name or format of their own take the pieces in order."""
    text, at, turn = "", 0, 0
    for match in fields.finditer(template):
        text += template[at : match.start()]
        at = match.end()
        if match.group() == plain[0]:
            text += plain[1]
            continue
        if match.group() not in ("%s", "%d", "{}") or turn >= len(pieces):
            return text
        text += beginning(pieces[turn])
        if not whole(pieces[turn]):
            return text
        turn += 1
    return text + template[at:]
