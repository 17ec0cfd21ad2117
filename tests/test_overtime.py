"""What would never end is given up, and the rest is still checked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from advisor import engine
from advisor.model.overtime import TookTooLong, overtime
from advisor.read import programs
from advisor.read.python import program
from tests.conftest import Advisor
from tests.programs import SOFTMAX


def forever(*_: Any) -> Any:
    try:
        while True:
            pass
    except Exception:  # an error of its own, it thinks
        while True:
            pass


def test_the_time_is_over() -> None:
    with pytest.raises(TookTooLong, match=r"given up after 0\.05 seconds"), overtime(0.05):
        while True:
            pass
    with overtime(0.05):
        pass
    sum(range(5_000_000))  # the clock stands still again


def test_a_thread_has_no_clock() -> None:
    ended = []

    def work() -> None:
        with overtime(0.0):
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]


def test_one_program_is_given_up_and_the_others_are_judged(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    read = program.read_program

    def slow(project: Any, source: Any, *rest: Any, **named: Any) -> Any:
        if source.display == "a.py":
            while True:
                pass
        return read(project, source, *rest, **named)

    monkeypatch.setattr(programs, "read_program", slow)
    monkeypatch.setattr(programs, "PROGRAM", 0.2)
    Path("a.py").write_text(SOFTMAX)
    Path("b.py").write_text(SOFTMAX)
    ran = advisor("lint", ".", "--format", "json", "--no-cache", "--jobs", "1")
    assert ran.code == 2
    assert "reading a.py: TookTooLong: given up after 0.2 seconds" in ran.err
    assert [(found["file"], found["rule"]) for found in ran.json["findings"]] == [("b.py", "softmax-before-cross-entropy")]


def test_one_rule_is_given_up_and_the_others_are_asked(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    check_of = engine.check_of
    monkeypatch.setattr(engine, "check_of", lambda rule: forever if rule.name == "missing-seed" else check_of(rule))
    monkeypatch.setattr(engine, "overtime", lambda: overtime(0.2))
    monkeypatch.setattr("advisor.model.overtime.AGAIN", 0.1)
    Path("a.py").write_text(SOFTMAX)
    ran = advisor("lint", "a.py", "--format", "json", "--no-cache", "--jobs", "1")
    assert ran.code == 2
    assert "rule missing-seed failed on a.py: TookTooLong: given up after 0.2 seconds" in ran.err
    assert [found["rule"] for found in ran.json["findings"]] == ["softmax-before-cross-entropy"]
