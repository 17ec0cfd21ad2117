"""Findings as JUnit XML: one suite per file, one failed case per finding."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.rule import Rule


def render(result: Result, rules: Mapping[str, Rule]) -> str:
    """A document that is green when nothing was found."""
    suites = [_suite(file, list(findings), result) for file, findings in groupby(result.findings, lambda finding: finding.place.file)]
    if not suites:
        suites = [
            '  <testsuite name="advisor" tests="1" failures="0" errors="0">\n    <testcase classname="advisor" name="no findings"/>\n  </testsuite>\n'
        ]
    failures = sum(finding.severity != "hint" for finding in result.findings)
    head = f'<testsuites name="advisor" tests="{max(1, len(result.findings))}" failures="{failures}" errors="0" time="{result.seconds:.3f}">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}\n{"".join(suites)}</testsuites>\n'


def _suite(file: str, findings: list[Finding], result: Result) -> str:
    failures = sum(finding.severity != "hint" for finding in findings)
    cases = "".join(_case(finding, result) for finding in findings)
    return f'  <testsuite name={_attribute(file)} tests="{len(findings)}" failures="{failures}" errors="0">\n{cases}  </testsuite>\n'


def _case(finding: Finding, result: Result) -> str:
    line, column, _, _ = result.span(finding)
    text = _clean(f"{finding.place.file}:{line}:{column}: {finding.message}\n{finding.recommendation or ''}".rstrip())
    body = f"<system-out>{escape(text)}</system-out>"
    if finding.severity != "hint":
        body = f"<failure type={_attribute(finding.severity)} message={_attribute(finding.message)}>{escape(text)}</failure>"
    names = f"classname={_attribute(finding.place.file)} name={_attribute(f'{finding.rule} at line {line}')} file={_attribute(finding.place.file)}"
    return f'    <testcase {names} line="{line}">{body}</testcase>\n'


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Without the control characters that XML 1.0 forbids, and lone surrogates."""
    return "".join(letter if letter in "\t\n" or (ord(letter) >= 32 and not 0xD800 <= ord(letter) <= 0xDFFF) else "?" for letter in text)
