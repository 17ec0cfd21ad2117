"""What one run says: findings, what could not be judged, and the counts of the summary."""

from __future__ import annotations

from collections.abc import MutableMapping

from advisor.model.finding import Finding, Skipped, fingerprint
from advisor.model.record import dataclass, field


@dataclass(slots=True)
class Result:
    """Findings in the order they are shown, with the texts they stand in. `crashes` are our own errors, one clause each."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: int = 0
    parsed: int = 0
    functions: int = 0  # in files that were read whole, whoever calls what
    functions_entered: int = 0
    programs: int = 0
    budget_cuts: int = 0
    seconds: float = 0.0
    texts: MutableMapping[str, str] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    _lines: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def count(self, severity: str) -> int:
        """How many findings are that bad."""
        return sum(finding.severity == severity for finding in self.findings)

    def lines(self, file: str, cell: int | None = None) -> list[str]:
        """The lines of a file, or of one cell of a notebook; empty when its text was not kept."""
        key = file if cell is None else f"{file}#{cell}"
        if key not in self._lines:
            self._lines[key] = self.texts.get(key, "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return self._lines[key]

    def line(self, file: str, number: int, cell: int | None = None) -> str:
        """One line of a file, empty when it is not there."""
        lines = self.lines(file, cell)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def span(self, finding: Finding) -> tuple[int, int, int, int]:
        """Line, column, end line, end column; a place without an end reaches to the end of its line."""
        place = finding.place
        if place.end_line:
            return place.line, place.column, place.end_line, place.end_column
        text = self.line(place.file, place.line, place.cell).rstrip()
        column = place.column if place.column > 1 else len(text) - len(text.lstrip()) + 1
        return place.line, column, place.line, max(len(text) + 1, column + 1)

    def fingerprints(self) -> list[str]:
        """One per finding, in the same order: equal after lines were inserted above, different for each repetition of a line."""
        met: dict[tuple[str, str, str], int] = {}
        prints = []
        for finding in self.findings:
            place = finding.place
            text = " ".join(self.line(place.file, place.line, place.cell).split())
            key = (finding.rule, place.file, text)
            prints.append(fingerprint(finding.rule, place.file, text, met.get(key, 0)))
            met[key] = met.get(key, 0) + 1
        return prints
