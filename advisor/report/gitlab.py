"""Findings as a Code Quality report of GitLab."""

from __future__ import annotations

import json
from collections.abc import Mapping

from advisor.model.result import Result
from advisor.model.rule import Rule

LEVELS = {"error": "critical", "warning": "major", "hint": "info"}


def render(result: Result, rules: Mapping[str, Rule]) -> str:
    """A list with one entry per finding."""
    entries = []
    for finding, fingerprint in zip(result.findings, result.fingerprints(), strict=True):
        line, _, end_line, _ = result.span(finding)
        entries.append(
            {
                "type": "issue",
                "check_name": finding.rule,
                "description": finding.message,
                "content": {"body": finding.recommendation or finding.message},
                "categories": ["Bug Risk"],
                "severity": LEVELS[finding.severity],
                "fingerprint": fingerprint,
                "location": {"path": finding.place.file, "lines": {"begin": line, "end": end_line}},
            }
        )
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
