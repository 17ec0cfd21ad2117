"""What is shown: the formats, each from the same hand-made result."""

from __future__ import annotations

import hashlib
import json
from xml.etree import ElementTree

import jsonschema
import pytest

from advisor import __version__, cards
from advisor.model.finding import Edit, Finding, Fix, Skipped
from advisor.model.result import Result
from advisor.model.source import Link, Place
from advisor.report import github, gitlab, junit, sarif, text
from advisor.report import json as as_json

TRAIN = """\
import torch

BASE = 0.05
model = torch.nn.Linear(4, 2)
naïve = "é"; optimizer = torch.optim.Adam(model.parameters(), lr=BASE)
\toptimizer.step()
"""
FINDING = Finding(
    rule="lr-off-scale",
    case="far-above",
    group="learning-rate",
    severity="warning",
    confidence="high",
    message="Adam with lr=0.05, far above what is published",
    place=Place("train.py", 5, 14, 5, 71),
    evidence=(Link("train.py", 3, "BASE = 0.05"),),
    recommendation="start from lr=0.001",
    fix=Fix("unsafe", (Edit("train.py", 3, 8, 3, 12, "0.001"),)),
    programs=("train.py", "tune.py"),
)
PLAIN = Finding("missing-zero-grad", "never", "loop", "error", "high", "gradients are <never> cleared, 100% & more", Place("sub dir/a:b.py", 2))
HINT = Finding("no-validation", "none", "evaluation", "hint", "medium", "nothing is validated", Place("nb.ipynb", 1, cell=3))


@pytest.fixture
def result() -> Result:
    return Result(
        findings=[FINDING, PLAIN, HINT],
        skipped=[Skipped("`fit` could not be resolved", "train.py", 6, ("missing-zero-grad", "missing-seed")), Skipped("too large", "big.py", 1)],
        files=3,
        parsed=2,
        programs=1,
        seconds=0.0412,
        texts={"train.py": TRAIN, "sub dir/a:b.py": "x = 1\n    y = 2  \n", "nb.ipynb#3": "import torch\n"},
    )


EMPTY = Result(files=1, parsed=1, programs=1)


def test_json_has_every_key_and_nothing_else(result: Result) -> None:
    told = json.loads(as_json.render(result, {}))
    assert list(told) == ["version", "tool", "findings", "skipped", "summary"]
    assert (told["version"], told["tool"]) == (1, f"advisor {__version__}")
    finding = told["findings"][0]
    mark = finding.pop("fingerprint")
    assert finding == {
        "rule": "lr-off-scale", "case": "far-above", "group": "learning-rate", "severity": "warning", "confidence": "high",
        "message": "Adam with lr=0.05, far above what is published",
        "file": "train.py", "line": 5, "column": 14, "end_line": 5, "end_column": 71, "cell": None, "programs": ["train.py", "tune.py"],
        "evidence": [{"file": "train.py", "line": 3, "text": "BASE = 0.05"}],
        "recommendation": "start from lr=0.001",
        "fix": {"safety": "unsafe", "edits": [{"file": "train.py", "line": 3, "column": 8, "end_line": 3, "end_column": 12, "text": "0.001"}]},
    }  # fmt: skip
    assert len(mark) == 16 and int(mark, 16) >= 0
    keys = {*finding, "fingerprint"}
    assert all(set(other) == keys for other in told["findings"][1:])
    assert told["findings"][1]["fix"] is None and told["findings"][1]["recommendation"] is None
    assert told["skipped"][0] == {"why": "`fit` could not be resolved", "file": "train.py", "line": 6, "rules": ["missing-zero-grad", "missing-seed"]}
    assert told["summary"] == {"files": 3, "parsed": 2, "programs": 1, "budget_cuts": 0, "errors": 1, "warnings": 1, "hints": 1, "seconds": 0.041}


def test_a_place_without_an_end_reaches_to_the_end_of_its_line(result: Result) -> None:
    assert result.span(PLAIN) == (2, 5, 2, 10)
    assert result.span(HINT) == (1, 1, 1, 13)


def test_fingerprints_survive_a_move_and_tell_repetitions_apart() -> None:
    def prints(source: str, *lines: int) -> list[str]:
        findings = [Finding("r", "c", "g", "error", "high", "m", Place("a.py", line)) for line in lines]
        return Result(findings=findings, texts={"a.py": source}).fingerprints()

    first, second = prints("step()\nstep()\n", 1, 2)
    assert first != second
    assert prints("# moved\n\n  step() \nx\nstep()\n", 3, 5) == [first, second]
    assert first == hashlib.sha256("\0".join(("r", "a.py", "step()", "0")).encode()).hexdigest()[:16]


def test_full_shows_the_code_the_origin_and_what_to_do(result: Result) -> None:
    shown = text.render_full(result, {})
    lines = shown.splitlines()
    assert lines[0] == "warning[lr-off-scale] Adam with lr=0.05, far above what is published"
    assert lines[1].endswith("train.py:5:14")
    code = next(line for line in lines if line.startswith("5 | "))
    under = lines[lines.index(code) + 1]
    assert code[under.index("^") : under.rindex("^") + 1] == "optimizer = torch.optim.Adam(model.parameters(), lr=BASE)"
    assert "BASE = 0.05 (train.py:3)" in shown
    assert "help: start from lr=0.001" in shown
    assert "in 2 programs: train.py, tune.py" in shown
    assert "1 error, 1 warning, 1 hint in 1 program, 3 files" in shown
    assert "2 things could not be judged" in shown and "`fit` could not be resolved (2 rules)" in shown
    assert "nb.ipynb:cell 3:1:1" in shown
    assert text.render_full(EMPTY, {}) == "no findings in 1 program, 1 file\n"


def test_concise_is_one_line_each(result: Result) -> None:
    lines = text.render_concise(result, {}).splitlines()
    assert lines[0] == "train.py:5:14: warning[lr-off-scale] Adam with lr=0.05, far above what is published"
    assert lines[1].startswith("sub dir/a:b.py:2:5: error[missing-zero-grad]")


@pytest.mark.parametrize(
    ("code", "column", "end", "under"),
    [("x = f(1)", 5, 9, "    ^^^^"), ("\tf(1)", 2, 6, "    ^^^^"), ("日本 = f()", 6, 9, "       ^^^"), ("x", 9, 9, " ^")],
)
def test_underline(code: str, column: int, end: int, under: str) -> None:
    assert text._underline(code, column, end) == under


def test_github(result: Result) -> None:
    lines = github.render(result, {}).splitlines()
    assert lines[0] == (
        "::warning file=train.py,line=5,col=14,endLine=5,endColumn=71,title=advisor (lr-off-scale)::"
        "Adam with lr=0.05, far above what is published. start from lr=0.001"
    )
    assert lines[1].startswith("::error file=sub dir/a%3Ab.py,line=2,") and lines[1].endswith("100%25 & more")
    assert lines[2].startswith("::notice file=nb.ipynb,title=")
    assert github.render(EMPTY, {}) == ""


def test_gitlab(result: Result) -> None:
    told = json.loads(gitlab.render(result, {}))
    assert [entry["severity"] for entry in told] == ["major", "critical", "info"]
    assert told[0]["location"] == {"path": "train.py", "lines": {"begin": 5, "end": 5}}
    assert len({entry["fingerprint"] for entry in told}) == 3
    assert json.loads(gitlab.render(EMPTY, {})) == []


def test_junit(result: Result) -> None:
    root = ElementTree.fromstring(junit.render(result, {}))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "2", "0")
    failures = root.findall("./testsuite/testcase/failure")
    assert [failure.get("type") for failure in failures] == ["warning", "error"]
    assert failures[1].get("message") == PLAIN.message
    empty = ElementTree.fromstring(junit.render(EMPTY, {}))
    assert (empty.get("failures"), len(empty.findall("./testsuite/testcase"))) == ("0", 1)
    bad = Result(findings=[Finding("r", "c", "g", "error", "high", "a \x00 \x1b \ud800 b", Place("a.py", 1))])
    ElementTree.fromstring(junit.render(bad, {}))


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 100_000}}}
SHORT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 1024}}}
REGION = {
    "type": "object",
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "properties": {name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn", "endLine", "endColumn")},
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {"type": "object", "required": ["uri"], "properties": {"uri": {"type": "string", "pattern": r"^[^ \\]+$"}}},
                "region": REGION,
            },
        }
    },
}
# What GitHub's code scanning asks of SARIF 2.1.0, which is more than the standard does.
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results", "automationDetails"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "semanticVersion", "rules"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "fullDescription", "help", "properties"],
                                            "properties": {
                                                "shortDescription": SHORT,
                                                "fullDescription": SHORT,
                                                "help": {**TEXT, "required": ["text", "markdown"]},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "level", "message", "locations", "partialFingerprints"],
                            "properties": {
                                "level": {"enum": ["error", "warning", "note"]},
                                "message": TEXT,
                                "locations": {"type": "array", "minItems": 1, "items": LOCATION},
                                "partialFingerprints": {"type": "object", "required": ["primaryLocationLineHash"]},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif(result: Result) -> None:
    told = json.loads(sarif.render(result, cards.load()))
    jsonschema.validate(told, SARIF)
    [run] = told["runs"]
    assert run["automationDetails"]["id"] == "advisor-lint/"
    assert [entry["level"] for entry in run["results"]] == ["warning", "error", "note"]
    rules = run["tool"]["driver"]["rules"]
    for entry in run["results"]:
        if "ruleIndex" in entry:
            assert rules[entry["ruleIndex"]]["id"] == entry["ruleId"]
    assert run["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "sub%20dir/a%3Ab.py"
    jsonschema.validate(json.loads(sarif.render(EMPTY, {})), SARIF)


def test_sarif_describes_every_rule_well_enough_for_code_scanning() -> None:
    rules = cards.load()
    findings = [Finding(rule.name, next(iter(rule.cases)), rule.group, rule.level, "high", "said", Place("a.py", 1)) for rule in rules.values()]
    told = json.loads(sarif.render(Result(findings=findings, texts={"a.py": "x = 1\n"}), rules))
    jsonschema.validate(told, SARIF)
    assert len(told["runs"][0]["tool"]["driver"]["rules"]) == len(rules)
