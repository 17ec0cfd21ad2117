"""What all tests share: a table of rules that is up to date."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from advisor import cards
from advisor.cli import run
from advisor.settings import closest


def pytest_configure(config: pytest.Config) -> None:
    """Build the table of rules from the cards first; a card that is not right yet fails in test_cards, and there alone."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job in the background: what tests start would be deaf too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if cards.is_stale():
        cards.build(strict=False)


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Advisor = Callable[..., Ran]


@pytest.fixture
def advisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Advisor:
    """Runs a command in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "ADVISOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: bytes | None = None) -> Ran:
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        closest.cache_clear()
        code = run(arguments)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call
