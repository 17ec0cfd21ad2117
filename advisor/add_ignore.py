"""Writes the comments that silence findings, for a project that begins to use advisor."""

from __future__ import annotations

import os
import re
import tokenize
from collections.abc import Sequence
from io import BytesIO

from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.suppress import COMMENT

COMMENTED = (".py", ".pyw", ".yaml", ".yml", ".toml")


def add_ignores(result: Result, reason: str) -> tuple[int, int]:
    """Silence every finding by a comment; how many were, and how many stand where no comment can."""
    by_file: dict[str, list[Finding]] = {}
    for finding in result.findings:
        by_file.setdefault(finding.place.file, []).append(finding)
    silenced = []
    for file, findings in by_file.items():
        if file.endswith(COMMENTED) and os.path.isfile(file):
            silenced += _silence(file, findings, reason)
    total = len(result.findings)
    result.findings = [finding for finding in result.findings if not any(finding is done for done in silenced)]
    return len(silenced), total - len(silenced)


def _silence(file: str, findings: Sequence[Finding], reason: str) -> list[Finding]:
    """Change one file; the findings that a comment could be written for."""
    with open(file, "rb") as source:
        data = source.read()
    python = file.endswith((".py", ".pyw"))
    try:
        encoding = tokenize.detect_encoding(BytesIO(data).readline)[0] if python else "utf-8"
        lines = data.decode(encoding).splitlines(keepends=True)
    except (SyntaxError, UnicodeDecodeError):
        return []
    done: list[Finding] = []
    for line in sorted({finding.place.line for finding in findings}, reverse=True):
        here = [finding for finding in findings if finding.place.line == line]
        names = list(dict.fromkeys(finding.rule for finding in here))
        for change in (_at_the_end, _above):
            changed = change(lines, line - 1, names, reason)
            if not python or _same_code(lines, changed):
                lines = changed
                done += here
                break
    file = os.path.realpath(file)  # a link stays one
    draft = f"{file}.{os.getpid()}.advisor"
    with open(draft, "wb") as out:
        out.write("".join(lines).encode(encoding))
    os.replace(draft, file)
    return done


def _at_the_end(lines: Sequence[str], at: int, names: Sequence[str], reason: str) -> list[str]:
    """The comment at the end of the line; rules are added to one that is there."""
    text = lines[at].rstrip("\r\n")
    ending = lines[at][len(text) :]
    held = next((match for match in COMMENT.finditer(text) if match["form"] == "ignore" and match["rules"]), None)
    if held is not None:
        every = dict.fromkeys([*(name.strip() for name in held["rules"].split(",")), *names])
        text = f"{text[: held.start('rules')]}{', '.join(every)}{text[held.end('rules') :]}"
    else:
        text = f"{text.rstrip()}  {_comment(names, reason)}"
    return [*lines[:at], text + ending, *lines[at + 1 :]]


def _above(lines: Sequence[str], at: int, names: Sequence[str], reason: str) -> list[str]:
    """The comment on a line of its own, for statements that cannot hold one at their end."""
    indent = re.match(r"\s*", lines[at])
    ending = "\r\n" if lines[at].endswith("\r\n") else "\n"
    return [*lines[:at], f"{indent[0].rstrip(chr(13) + chr(10)) if indent else ''}{_comment(names, reason)}{ending}", *lines[at:]]


def _comment(names: Sequence[str], reason: str) -> str:
    return f"# advisor: ignore[{', '.join(names)}]{' ' + reason if reason else ''}"


def _same_code(before: Sequence[str], after: Sequence[str]) -> bool:
    """True when only comments and line breaks differ."""
    try:
        return _code("".join(before)) == _code("".join(after))
    except (tokenize.TokenError, SyntaxError):
        return False


def _code(text: str) -> list[tuple[int, str]]:
    tokens = tokenize.tokenize(BytesIO(text.encode("utf-8")).readline)
    return [(token.type, token.string) for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING)]
