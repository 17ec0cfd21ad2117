"""Findings as workflow commands of GitHub Actions, which shows them on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.model.result import Result
from advisor.model.rule import Rule

COMMANDS = {"error": "error", "warning": "warning", "hint": "notice"}


def render(result: Result, rules: Mapping[str, Rule]) -> str:
    """One command per finding."""
    lines = []
    for finding in result.findings:
        line, column, end_line, end_column = result.span(finding)
        where = f"file={_property(finding.place.file)},line={line},col={column},endLine={end_line},endColumn={end_column}"
        if finding.place.cell is not None:  # lines of a cell are no lines of the file
            where = f"file={_property(finding.place.file)}"
        text = f"{finding.message}. {finding.recommendation}" if finding.recommendation else finding.message
        lines.append(f"::{COMMANDS[finding.severity]} {where},title={_property(f'advisor ({finding.rule})')}::{_data(text)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
