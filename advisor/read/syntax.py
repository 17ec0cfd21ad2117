"""What is wrong with a text that does not parse: merge markers, Python 2, a newer Python or a plain mistake."""

from __future__ import annotations

import re
import sys

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.text import source_lines

_MERGE = pattern(r"^<{7} ", re.MULTILINE)
_MERGED = pattern(r"^>{7} ", re.MULTILINE)
_PYTHON2 = pattern(
    r"^\s*(print\s+[\"'\w%]|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.]+\s*,\s*\w+\s*:)|`[^`]+`|\bur[\"']|<>|\b0[0-7]+\b(?!\.)", re.MULTILINE
)
_NEWER = pattern(r"^\s*(type\s+\w+(\[[^\]]*\])?\s*=|(async\s+)?def\s+\w+\s*\[|class\s+\w+\s*\[)|\bt[\"']")
_TWO_EXCEPTIONS = pattern(r"^\s*except\s+[\w.]+\s*,\s*(?:\w+\.)*[A-Z]\w*\s*[,:]")  # Python 3.14; Python 2 binds a name there, `e` mostly
_SAME_QUOTE = pattern(r"""\b[rR]?[fF][rR]?("|')(?:(?!\1).)*\{[^{}]*\1.*\}""")  # Python 3.12: the quote of an f-string within its braces
_OPEN_BRACE = pattern(r"""\b[rR]?[fF][rR]?("|')(?:(?!\1).)*\{[^{}]*$""")  # Python 3.12: an f-string whose braces go on in the next line


def merge_conflict(text: str, display: str) -> Broken | None:
    """The first marker of a merge that nobody resolved."""
    marker = _MERGE.search(text)
    if marker is None or not _MERGED.search(text, marker.end()):
        return None
    return Broken(Place(display, text.count("\n", 0, marker.start()) + 1), kind="merge-marker", detail="a merge conflict is not resolved")


def diagnose(text: str, display: str, error: Exception) -> Broken:
    """What is wrong with a text that does not parse: merge markers, Python 2, newer Python, NUL bytes or a plain syntax error."""
    if isinstance(error, (RecursionError, MemoryError)):
        return Broken(Place(display, 1), kind="too-deep", detail="it is nested too deeply to be parsed")
    line = getattr(error, "lineno", None) or 1
    column = getattr(error, "offset", None) or 1
    message = str(getattr(error, "msg", error))
    lines = source_lines(text)
    conflict = merge_conflict(text, display)
    if conflict is not None:
        return conflict
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    in_braces = message.startswith("f-string") and ("expression part cannot include" in message or _SAME_QUOTE.search(here))
    in_braces = in_braces or (message.startswith("unterminated string") and sys.version_info < (3, 12) and _OPEN_BRACE.search(here))
    if in_braces or _NEWER.search(here) or _TWO_EXCEPTIONS.search(here):
        detail = f"it needs a Python newer than {sys.version_info.major}.{sys.version_info.minor}, which advisor runs on ({message})"
        return Broken(Place(display, line, column), kind="newer-python", detail=detail, skipped=True)
    if (
        "Missing parentheses in call to 'print'" in message
        or "Missing parentheses in call to 'exec'" in message
        or "multiple exception types must be" in message
    ):
        return Broken(Place(display, line, column), kind="python2", detail=message)
    if _PYTHON2.search(here):
        return Broken(Place(display, line, column), kind="python2", detail=message)
    return Broken(Place(display, max(line, 1), max(column, 1)), kind="syntax", detail=message)
