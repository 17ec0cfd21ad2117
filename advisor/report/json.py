"""Findings as JSON, stable and versioned: every key is always there, null where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from advisor import __version__
from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.rule import Rule

TOOL = f"advisor {__version__}"


def render(result: Result, rules: Mapping[str, Rule]) -> str:
    """The whole result as one JSON object."""
    return json.dumps(document(result), indent=1, ensure_ascii=False) + "\n"


def document(result: Result) -> dict[str, Any]:
    """What is written, as plain data."""
    prints = result.fingerprints()
    return {
        "version": 1,
        "tool": TOOL,
        "findings": [entry(result, finding, fingerprint) for finding, fingerprint in zip(result.findings, prints, strict=True)],
        "skipped": [{"why": skip.why, "file": skip.file, "line": skip.line, "rules": list(skip.rules)} for skip in result.skipped],
        "summary": {
            "files": result.files,
            "parsed": result.parsed,
            "programs": result.programs,
            "budget_cuts": result.budget_cuts,
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "hints": result.count("hint"),
            "seconds": round(result.seconds, 3),
        },
    }


def entry(result: Result, finding: Finding, fingerprint: str) -> dict[str, Any]:
    """One finding as plain data."""
    line, column, end_line, end_column = result.span(finding)
    return {
        "rule": finding.rule,
        "case": finding.case,
        "group": finding.group,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "message": finding.message,
        "file": finding.place.file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "cell": finding.place.cell,
        "programs": list(finding.programs),
        "evidence": [{"file": link.file, "line": link.line, "text": link.text} for link in finding.evidence],
        "recommendation": finding.recommendation,
        "fix": _fix(finding),
        "fingerprint": fingerprint,
    }


def _fix(finding: Finding) -> dict[str, Any] | None:
    if finding.fix is None:
        return None
    keys = ("file", "line", "column", "end_line", "end_column", "text")
    return {"safety": finding.fix.safety, "edits": [{key: getattr(edit, key) for key in keys} for edit in finding.fix.edits]}
