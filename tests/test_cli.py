"""The command line: exit codes, selection, formats, stdin, what goes to which stream."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from advisor import __version__, engine
from tests.conftest import Advisor
from tests.programs import BROKEN, CLEAN, PYTHON2, SOFTMAX

OPTIONS = [
    ["--with", "config.yaml"], ["--select", "reading"], ["--ignore", "reading,loss"], ["--extend-select", "syntax-error"],
    ["--severity", "hint"], ["--fail-on", "error"], ["--exit-zero"], ["--fix"], ["--unsafe-fixes"], ["--diff"],
    ["--format", "full"], ["--format", "concise"], ["--format", "json"], ["--format", "sarif"], ["--format", "github"],
    ["--format", "gitlab"], ["--format", "junit"], ["-o", "report.txt"], ["--baseline", "baseline.json"], ["--write-baseline"],
    ["--add-ignore"], ["--add-ignore=known"], ["--stdin-filename", "train.py"], ["--jobs", "2"], ["--no-cache"], ["--statistics"],
    ["--isolated"], ["--settings", "advisor.toml"], ["--force-exclude"], ["--no-prefilter"], ["--whole-program"],
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_option_is_accepted(options: list[str], advisor: Advisor) -> None:
    Path("train.py").write_text(CLEAN)
    Path("config.yaml").write_text("lr: 0.1\n")
    Path("advisor.toml").write_text('severity = "hint"\n')
    Path("baseline.json").write_text('{"version": 1, "findings": []}')
    ran = advisor("lint", "train.py", *options)
    assert ran.code == 0, ran.err
    if options[0] in ("--fix", "--unsafe-fixes", "--diff"):
        assert f"{options[0]} has no effect yet" in ran.err or "fix" in ran.err


def test_exit_codes(advisor: Advisor) -> None:
    Path("clean.py").write_text(CLEAN)
    Path("broken.py").write_text(BROKEN)
    Path("old.py").write_text(PYTHON2)
    assert advisor("lint", "clean.py").code == 0
    assert advisor("lint", "broken.py").code == 1
    assert advisor("lint", "old.py").code == 1
    assert advisor("lint", "old.py", "--fail-on", "error").code == 0
    assert advisor("lint", "broken.py", "--fail-on", "error").code == 1
    assert advisor("lint", "broken.py", "--exit-zero").code == 0
    assert advisor("lint", "old.py", "--severity", "error").code == 0
    assert advisor("lint", ".").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lint", "nowhere.py"], "nowhere.py: no such file or folder"),
        (["lint", "--with", "nowhere.yaml", "."], "nowhere.yaml: no such file or folder"),
        (["lint", "--severity", "fatal", "."], "fatal"),
        (["lint", "--select", "sofmax-before-cross-entropy", "."], "did you mean 'softmax-before-cross-entropy'"),
        (["lint", "--format", "xml", "."], "xml"),
        (["lint", "--settings", "nowhere.toml", "."], "nowhere.toml: cannot be read"),
        (["lint", "--baseline", "nowhere.json", "."], "--write-baseline makes one"),
        (["lint", "-o", "no/such/folder/report", "."], "cannot be written"),
        (["lint", "--no-such-option"], "--no-such-option"),
        (["linnt"], "linnt"),
        (["explain", "nothing"], "no rule or group is called 'nothing'"),
        (["recipe"], "PATH"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what(arguments: list[str], said: str, advisor: Advisor) -> None:
    ran = advisor(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert not ran.out


def test_an_internal_error_exits_with_2_and_is_short(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the reader fell over")

    Path("train.py").write_text(CLEAN)
    monkeypatch.setattr("advisor.read.read", fail)
    ran = advisor("lint", "train.py")
    assert ran.code == 2
    assert "internal error: RuntimeError: the reader fell over" in ran.err
    assert "report it" in ran.err and "Traceback" not in ran.err
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    with pytest.raises(RuntimeError):
        advisor("lint", "train.py")


def test_a_rule_that_falls_over_does_not_silence_the_others(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a rule fell over")

    Path("broken.py").write_text(BROKEN)
    genuine = engine.check_of
    monkeypatch.setattr(engine, "check_of", lambda rule: fail if rule.name == "unreadable-file" else genuine(rule))
    ran = advisor("lint", "broken.py", "--format", "json")
    assert ran.code == 2
    assert [finding["rule"] for finding in ran.json["findings"]] == ["syntax-error"]
    assert "rule unreadable-file failed on broken.py" in ran.err


def test_version_and_help(advisor: Advisor) -> None:
    assert advisor("--version").out == f"advisor {__version__}\n"
    assert "recipe" in advisor("--help").out
    assert "--with" in advisor("lint", "--help").out


def test_stdin(advisor: Advisor) -> None:
    ran = advisor("lint", "-", "--format", "json", stdin=BROKEN.encode())
    assert (ran.code, ran.json["findings"][0]["rule"]) == (1, "syntax-error")
    ran = advisor("lint", "-", "--stdin-filename", "sub/train.py", "--format", "json", stdin=BROKEN.encode())
    assert ran.json["findings"][0]["file"] == "sub/train.py"
    assert advisor("lint", "-", stdin=CLEAN.encode()).code == 0
    assert advisor("lint", "-", stdin=b"").code == 0


def test_the_output_file_gets_the_report_and_stdout_nothing(advisor: Advisor) -> None:
    Path("broken.py").write_text(BROKEN)
    ran = advisor("lint", "broken.py", "--format", "concise", "-o", "report.txt")
    assert (ran.code, ran.out) == (1, "")
    assert "syntax-error" in Path("report.txt").read_text()


def test_selection(advisor: Advisor) -> None:
    Path("train.py").write_text(SOFTMAX)

    def rules(*options: str) -> set[str]:
        return {finding["rule"] for finding in advisor("lint", "train.py", "--format", "json", *options).json["findings"]}

    assert "softmax-before-cross-entropy" in rules()
    assert rules("--select", "loss") == {"softmax-before-cross-entropy"}
    assert rules("--select", "scheduler") == set()
    assert rules("--ignore", "softmax-before-cross-entropy") == set()
    assert rules("--ignore", "loss") == set()
    assert rules("--select", "softmax-before-cross-entropy", "--ignore", "loss") == {"softmax-before-cross-entropy"}
    assert rules("--select", "scheduler", "--extend-select", "softmax-before-cross-entropy,clipping") == {"softmax-before-cross-entropy"}


def test_what_cannot_be_parsed_is_never_silent(advisor: Advisor) -> None:
    Path("broken.py").write_text(BROKEN)
    ran = advisor("lint", "broken.py", "--select", "loss", "--format", "json")
    assert ran.code == 0
    assert [skip["file"] for skip in ran.json["skipped"]] == ["broken.py"]


def test_statistics(advisor: Advisor) -> None:
    Path("broken.py").write_text(BROKEN)
    assert "syntax-error" in advisor("lint", "broken.py", "--statistics").out.splitlines()[-2]
    ran = advisor("lint", "broken.py", "--statistics", "--format", "json")
    assert ran.json and "syntax-error" in ran.err


def test_colours_only_on_a_terminal(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken.py").write_text(BROKEN)
    assert "\x1b[" not in advisor("lint", "broken.py").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in advisor("lint", "broken.py").out
    assert "\x1b[" not in advisor("lint", "broken.py", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in advisor("lint", "broken.py").out


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    code = f"{sys.executable} -m advisor lint . --format json | true"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(code, shell=True, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr


def test_rules_and_explain(advisor: Advisor) -> None:
    listed = advisor("rules").out
    assert "softmax-before-cross-entropy" in listed and "lint" in listed
    assert {rule["group"] for rule in advisor("rules", "loss", "--format", "json").json["rules"]} == {"loss"}
    card = advisor("explain", "softmax-before-cross-entropy").out
    assert "What to do:" in card and "Example (bad)" in card
    assert "softmax-before-cross-entropy" in advisor("explain", "loss").out
    ran = advisor("explain", "softmax-before-crossentropy")
    assert ran.code == 2 and "did you mean 'softmax-before-cross-entropy'" in ran.err


def test_recipe(advisor: Advisor) -> None:
    Path("train.py").write_text(SOFTMAX)
    told = advisor("recipe", "train.py", "--format", "json").json
    assert told["version"] == 1
    [program] = told["programs"]
    assert program["entry"] == "train.py"
    assert [item["kind"]["value"] for item in program["optimizers"]["items"]] == ["SGD"]
    text = advisor("recipe", "train.py").out
    assert "SGD" in text and "0.1" in text


def test_a_recipe_of_nothing_says_so(advisor: Advisor) -> None:
    Path("plain.py").write_text("print(1)\n")
    ran = advisor("recipe", "plain.py")
    assert (ran.code, ran.out.strip()) == (0, "") and ran.err == "advisor: no program that trains with a known framework in plain.py\n"


def test_a_program_that_fells_the_reader_does_not_silence_the_others(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.read.python import program

    genuine = program.read_program

    def read_program(project: Any, source: Any, *given: Any, **named: Any) -> Any:
        if source.display == "b.py":
            raise RuntimeError("the reader fell over")
        return genuine(project, source, *given, **named)

    monkeypatch.setattr("advisor.read.programs.read_program", read_program)
    for name in ("a.py", "b.py", "c.py"):
        Path(name).write_text(SOFTMAX)
    ran = advisor("lint", ".", "--format", "json")
    assert ran.code == 2 and "reading b.py: RuntimeError: the reader fell over" in ran.err
    assert {finding["file"] for finding in ran.json["findings"]} == {"a.py", "c.py"}
    assert advisor("recipe", "a.py", "b.py").code == 2


def test_scripts_without_a_suffix(advisor: Advisor) -> None:
    Path("train").write_text("#!/usr/bin/env python\n" + SOFTMAX)
    assert "softmax-before-cross-entropy" in advisor("lint", "train").out
    assert advisor("lint", ".").out.startswith("no findings in 0 programs, 0 files"), "in folders only what is called a program"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_told_and_never_waited_for(advisor: Advisor) -> None:
    os.mkfifo("pipe.py")
    Path("link.py").symlink_to("nowhere.py")
    ran = advisor("lint", "pipe.py", "link.py", "--format", "json")
    assert ran.code == 1
    told = [(finding["file"], finding["rule"]) for finding in ran.json["findings"]]
    assert told == [("link.py", "unreadable-file"), ("pipe.py", "unreadable-file")]
    assert ran.json["skipped"] == []


@pytest.mark.parametrize(
    ("name", "text", "left_out"),
    [
        ("test_train.py", "def test_it(tmp_path):\n    train()\n", True),
        ("checks.py", "import pytest\n\ndef test_it(tmp_path):\n    train()\n", True),
        ("checks.py", "import unittest\n\nclass Checks(unittest.TestCase):\n    def test_it(self):\n        train()\n", True),
        ("run.py", "def test_epoch(model):\n    train()\n\nif __name__ == \"__main__\":\n    train()\n", False),
    ],
)
def test_the_tests_of_a_suite_are_no_programs(advisor: Advisor, name: str, text: str, left_out: bool) -> None:
    Path(name).write_text(text + "\n\ndef train():\n" + textwrap.indent(SOFTMAX, "    "))
    Path("other.py").write_text("x = 1\n")
    findings = advisor("lint", ".", "--format", "json").json["findings"]
    assert {finding["file"] for finding in findings} == (set() if left_out else {name})
    if left_out:
        assert advisor("lint", name, "--format", "json").json["findings"], "a test that is named alone is read"
