"""What the tool says: findings, their fixes, and what could not be judged."""

from __future__ import annotations

from typing import Literal

from advisor.model.record import dataclass, field
from advisor.model.source import Link, Place

Severity = Literal["error", "warning", "hint"]
Confidence = Literal["high", "medium"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "hint")


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text between two positions (1-based, end exclusive) of one file."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """What mends a finding. *safe* keeps the training result, *unsafe* changes numbers on purpose, *shown* is to read."""

    safety: Literal["safe", "unsafe", "shown"]
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where, how bad, how sure, and what to do."""

    rule: str
    case: str
    group: str
    severity: Severity
    confidence: Confidence
    message: str
    place: Place
    evidence: tuple[Link, ...] = ()
    recommendation: str | None = None
    fix: Fix | None = None
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be judged: the cause, where it stands, and the rules it silenced."""

    why: str
    file: str
    line: int
    rules: tuple[str, ...] = field(default=())


def fingerprint(rule: str, file: str, line_text: str, occurrence: int) -> str:
    """The first 16 hex digits of sha256 over rule, file, the line with its spaces normalised, and its occurrence."""
    import hashlib  # loads OpenSSL, and only machine formats and baselines want it

    text = "\0".join((rule, file, " ".join(line_text.split()), str(occurrence)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
