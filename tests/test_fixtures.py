"""Whole programs: every faulty one raises what its comments announce and no other error or warning, every healthy one no error or warning."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.result import Result
from advisor.model.rule import Choice
from advisor.read import read
from tests.conftest import Advisor

FIXTURES = Path(__file__).parent.parent / "fixtures"
MARKER = re.compile(r"([a-z0-9-]+)\[([a-z0-9_-]+)\]")
TEXT = {".py", ".yaml", ".toml", ".json"}
Key = tuple[str, int, str, str]


def programs(*kinds: str) -> list[Path]:
    """The folders of these kinds, each a program."""
    return sorted(entry.parent for kind in kinds for entry in (FIXTURES / kind).glob("**/train.py"))


def expected(folder: Path) -> set[Key]:
    """The findings that the comments of a program announce: file, line, rule, case."""
    return {
        (path.relative_to(folder).as_posix(), number, rule, case)
        for path in sorted(folder.rglob("*"))
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "# ! " in line
        for rule, case in MARKER.findall(line.split("# ! ", 1)[1])
    }


def judge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    rules = cards.load()
    return lint(read(["train.py"]), lambda file: Choice(rules), rules, severity="hint")


def found(result: Result, hints: bool = False) -> dict[Key, str]:
    return {(f.place.file, f.place.line, f.rule, f.case): f.message for f in result.findings if hints or f.severity != "hint"}


def told(title: str, lines: list[str]) -> str:
    return f"{title}:\n  " + "\n  ".join(lines) if lines else ""


@pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in programs("faulty", "quickstart")])
def test_faulty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = expected(folder)
    assert wanted, "a faulty program marks its faults with # ! rule[case]"
    result = judge(folder, monkeypatch)
    said = found(result)
    missing = [str(key) for key in sorted(wanted - found(result, hints=True).keys())]
    extra = [f"{key}: {said[key]}" for key in sorted(said.keys() - wanted)]
    skipped = [f"{skip.file}:{skip.line} {skip.why} ({', '.join(skip.rules)})" for skip in result.skipped]
    parts = {"announced, not found": missing, "found, not announced": extra, "skipped": skipped}
    assert not missing and not extra, "\n".join(told(title, lines) for title, lines in parts.items())


@pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in programs("healthy")])
def test_healthy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not expected(folder)
    said = found(judge(folder, monkeypatch))
    assert not said, told("found in a healthy program", [f"{key}: {message}" for key, message in sorted(said.items())])


@pytest.mark.parametrize("directory", ["inside", "beside", "top"])
def test_it_is_the_same_from_everywhere(directory: str, advisor: Advisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is found depends on the folder that the command is given in."""
    monkeypatch.chdir({"inside": FIXTURES, "beside": tmp_path, "top": Path("/")}[directory])
    findings = advisor("lint", str(FIXTURES), "--isolated", "--no-cache", "--severity", "hint", "--format", "json").json["findings"]
    told = {(os.path.relpath(finding["file"], FIXTURES), finding["line"], finding["rule"], finding["case"]) for finding in findings}
    monkeypatch.chdir(FIXTURES.parent)
    before = advisor("lint", "fixtures", "--isolated", "--no-cache", "--severity", "hint", "--format", "json").json["findings"]
    assert told == {(os.path.relpath(finding["file"], "fixtures"), finding["line"], finding["rule"], finding["case"]) for finding in before}


def test_there_are_enough() -> None:
    assert len(programs("healthy")) >= 12
    assert len(programs("faulty")) >= 12
