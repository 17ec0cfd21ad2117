"""Findings as SARIF 2.1.0, with what GitHub's code scanning wants of it: fingerprints, precision, help in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from advisor import __version__
from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "hint": "note"}
PROBLEMS = {"error": "error", "warning": "warning", "hint": "recommendation"}
LONGEST = 1024


def render(result: Result, rules: Mapping[str, Rule], category: str = "advisor-lint/") -> str:
    """A log with one run; `category` keeps the reports of lint and of the probe apart."""
    shown = [rules[name] for name in sorted({finding.rule for finding in result.findings}) if name in rules]
    index = {rule.name: position for position, rule in enumerate(shown)}
    run = {
        "tool": {
            "driver": {
                "name": "advisor",
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in shown],
            }
        },
        "automationDetails": {"id": category},
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, finding, mark, index) for finding, mark in zip(result.findings, result.fingerprints(), strict=True)],
        "invocations": [
            {
                "executionSuccessful": not result.crashes,
                "toolExecutionNotifications": [_notification(skip.why, skip.file, skip.line) for skip in result.skipped],
            }
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    why = rule.why or rule.summary
    confident = any(case["confidence"] == "high" for case in rule.cases.values())
    return {
        "id": rule.name,
        "name": "".join(word.title() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary[:LONGEST]},
        "fullDescription": {"text": why[:LONGEST]},
        "help": {"text": f"{why}\n\nWhat to do: {rule.recommend}", "markdown": _markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.level]},
        "properties": {
            "precision": "high" if confident else "medium",
            "problem.severity": PROBLEMS[rule.level],
            "tags": ["training", rule.group],
        },
    }


def _markdown(rule: Rule) -> str:
    links = [f"* {source['title']} ({source.get('year', 'undated')}): {source['link']}" for source in rule.sources.values()]
    parts = [
        rule.why,
        f"**What to do:** {rule.recommend}",
        "**Silent when**\n" + "\n".join(f"* {line}" for line in rule.not_when) if rule.not_when else "",
    ]
    return "\n\n".join(part for part in [*parts, "\n".join(links)] if part)


def _result(result: Result, finding: Finding, mark: str, index: Mapping[str, int]) -> dict[str, Any]:
    line, column, end_line, end_column = result.span(finding)
    text = f"{finding.message}. {finding.recommendation}" if finding.recommendation else finding.message
    entry: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.place.file),
                    "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": mark},
        "relatedLocations": [
            {"id": number, "message": {"text": link.text}, "physicalLocation": _spot(link.file, link.line)}
            for number, link in enumerate(finding.evidence)
        ],
        "properties": {"case": finding.case, "confidence": finding.confidence, "programs": list(finding.programs)},
    }
    if finding.rule in index:
        entry["ruleIndex"] = index[finding.rule]
    if finding.fix is not None:
        entry["fixes"] = [_fix(finding)]
    return entry


def _fix(finding: Finding) -> dict[str, Any]:
    assert finding.fix is not None
    files: dict[str, list[dict[str, Any]]] = {}
    for edit in finding.fix.edits:
        region = {"startLine": edit.line, "startColumn": edit.column, "endLine": edit.end_line, "endColumn": edit.end_column}
        files.setdefault(edit.file, []).append({"deletedRegion": region, "insertedContent": {"text": edit.text}})
    changes = [{"artifactLocation": _artifact(file), "replacements": edits} for file, edits in files.items()]
    return {"description": {"text": finding.recommendation or finding.message}, "artifactChanges": changes}


def _notification(why: str, file: str, line: int) -> dict[str, Any]:
    return {"level": "note", "message": {"text": why or "not judged"}, "locations": [{"physicalLocation": _spot(file, line)}]}


def _spot(file: str, line: int) -> dict[str, Any]:
    return {"artifactLocation": _artifact(file), "region": {"startLine": max(1, line)}}


def _artifact(file: str) -> dict[str, str]:
    """A URI relative to the working directory; an absolute one for a file outside it."""
    path = quote(file.encode("utf-8", "surrogateescape"), safe="/:")
    return {"uri": f"file://{path}"} if file.startswith("/") else {"uri": path.replace(":", "%3A")}
