"""Findings for people: with a frame of the code around them (full), or one line each (concise)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.rule import Rule

# A line is a list of pieces, each with the name of its style; styles are applied only on a terminal.
Line = list[tuple[str, str]]
STYLES = {"error": "bold red", "warning": "bold yellow", "hint": "bold cyan", "strong": "bold", "faint": "dim", "": ""}
AROUND = 2
WIDEST = 3
LONGEST = 160


def full(result: Result) -> Iterator[Line]:
    """Each finding with its code, where the value came from and what to do; then the summary."""
    for finding in result.findings:
        yield from _framed(result, finding)
        yield []
    yield from _summary(result)


def concise(result: Result) -> Iterator[Line]:
    """Each finding on one line; then the summary."""
    for finding in result.findings:
        yield [(_where(result, finding), "strong"), (f": {finding.severity}", finding.severity), (f"[{finding.rule}] {finding.message}", "")]
    yield from _summary(result)


def render_full(result: Result, rules: Mapping[str, Rule]) -> str:
    """The full report without colours."""
    return plain(full(result))


def render_concise(result: Result, rules: Mapping[str, Rule]) -> str:
    """The concise report without colours."""
    return plain(concise(result))


def plain(lines: Iterator[Line]) -> str:
    """Lines without their styles."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines)


def to_terminal(lines: Iterator[Line], stream: TextIO) -> None:
    """Lines with colours. The only place that loads rich."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((piece, STYLES[style]) for piece, style in line)))


def styled(format: str) -> Callable[[Result], Iterator[Line]] | None:
    """The lines of a format that has styles."""
    return {"full": full, "concise": concise}.get(format)


def _where(result: Result, finding: Finding) -> str:
    line, column, _, _ = result.span(finding)
    cell = "" if finding.place.cell is None else f":cell {finding.place.cell}"
    return f"{finding.place.file}{cell}:{line}:{column}"


def _framed(result: Result, finding: Finding) -> Iterator[Line]:
    yield [(f"{finding.severity}", finding.severity), (f"[{finding.rule}]", "strong"), (f" {finding.message}", "")]
    line, column, end_line, end_column = result.span(finding)
    lines = result.lines(finding.place.file, finding.place.cell)
    width = len(str(line + AROUND))
    margin = " " * width
    yield [(f"{margin}--> ", "faint"), (_where(result, finding), "")]
    if 0 < line <= len(lines) and any(lines):
        for number in range(max(1, line - AROUND), min(len(lines), line + AROUND) + 1):
            code = lines[number - 1]
            if number != line and not code.strip():
                continue
            yield [(f"{number:>{width}} | ", "faint"), (code[:LONGEST].replace("\t", "    "), "" if number == line else "faint")]
            if number == line:
                end = end_column if end_line == line else len(code.rstrip()) + 1
                yield [(f"{margin} | ", "faint"), (_underline(code[:LONGEST], column, end), finding.severity)]
    for link in finding.evidence:
        if f"{link.text}, {link.file}:{link.line}" in finding.message:
            continue  # the message says so itself
        yield [(f"{margin} = ", "faint"), (f"from {link.text} ({link.file}:{link.line})", "")]
    if len(finding.programs) > 1:
        yield [
            (f"{margin} = ", "faint"),
            (f"in {len(finding.programs)} programs: {', '.join(finding.programs[:WIDEST])}{', ...' if len(finding.programs) > WIDEST else ''}", ""),
        ]
    if finding.recommendation:
        yield [(f"{margin} = ", "faint"), ("help: ", "strong"), (finding.recommendation, "")]


def _underline(code: str, column: int, end: int) -> str:
    """Spaces and carets under a part of a line, as wide as the letters above them are shown."""
    before, under = code[: column - 1], code[column - 1 : max(end, column + 1) - 1]
    return " " * sum(map(_width, before)) + "^" * max(1, sum(map(_width, under.rstrip())))


def _width(letter: str) -> int:
    if letter == "\t":
        return 4
    if letter.isascii():
        return 1
    import unicodedata  # a library of its own

    return 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _summary(result: Result) -> Iterator[Line]:
    counts = [(result.count(severity), severity) for severity in ("error", "warning", "hint")]
    said = [f"{count} {severity}{'s' if count != 1 else ''}" for count, severity in counts if count]
    read = f"{_many(result.programs, 'program')}, {_many(result.files, 'file')}"
    worst = next((severity for count, severity in counts if count), "strong")
    yield [(", ".join(said) or "no findings", worst), (f" in {read}", "")]
    if result.budget_cuts:
        yield [(f"{_many(result.budget_cuts, 'program')} too large to read whole", "faint")]
    if result.skipped:
        yield [
            (
                f"{_many(len(result.skipped), 'thing')} could not be judged, the widest:" if len(result.skipped) > 1 else "could not be judged:",
                "faint",
            )
        ]
        for skip in result.skipped[:WIDEST]:
            silenced = f" ({_many(len(skip.rules), 'rule')})" if skip.rules else ""
            yield [(f"  {skip.file}:{skip.line}: {skip.why}{silenced}", "faint")]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
