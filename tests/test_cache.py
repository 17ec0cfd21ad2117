"""A kept result counts only while everything that it was made of is as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from advisor import cards
from advisor.read import read
from tests.conftest import Advisor
from tests.programs import BROKEN, CLEAN, SOFTMAX

MAIN = """\
import torch

from engine import fit

torch.manual_seed(0)
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(10):
    fit(model, optimizer)
"""
ENGINE = """\
import torch


def fit(model, optimizer):
    for x, y in [(torch.randn(8, 4), torch.randint(3, (8,)))]:
        {zero}
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""


@pytest.fixture
def reads(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were read in each run that found nothing kept."""
    counted: list[int] = []
    genuine = read

    def counting(paths: Any, **options: Any) -> Any:
        counted.append(len(paths))
        return genuine(paths, **options)

    monkeypatch.setattr("advisor.read.read", counting)
    for number in range(25):
        Path(f"part{number}.py").write_text(f"import torch\n\nx{number} = {number}\n")
    return counted


def findings(advisor: Advisor, *options: str) -> list[tuple[str, int, str]]:
    told = advisor("lint", ".", "--format", "json", *options).json
    return [(finding["file"], finding["line"], finding["rule"]) for finding in told["findings"]]


def age() -> None:
    """As if every file had been written long ago, so that its time stamp can be trusted."""
    for path in Path().rglob("*.py"):
        os.utime(path, ns=(10**18, 10**18))


def test_the_second_run_reads_nothing_and_says_the_same(advisor: Advisor, reads: list[int]) -> None:
    Path("train.py").write_text(SOFTMAX)
    Path("broken.py").write_text(BROKEN)
    for format in ("json", "full", "sarif", "junit"):
        for kept in Path().glob(".advisor_cache/*"):
            kept.unlink()
        first, second = (advisor("lint", ".", "--format", format) for _ in range(2))
        strip = (lambda text: {**json.loads(text), "summary": None}) if format == "json" else (lambda text: text.split('time="')[0])
        assert strip(first.out) == strip(second.out)
        assert first.code == second.code == 1
    assert len(reads) == 4
    assert Path(".advisor_cache/.gitignore").read_text() == "*\n"


def test_what_was_read_changes(advisor: Advisor, reads: list[int]) -> None:
    Path("train.py").write_text(CLEAN)
    age()
    assert findings(advisor) == findings(advisor) == []
    Path("train.py").write_text(BROKEN)
    assert findings(advisor) == [("train.py", 3, "syntax-error")]
    os.utime("train.py", ns=(10**18, 10**18))
    Path("train.py").write_text(BROKEN)
    assert findings(advisor) == [("train.py", 3, "syntax-error")]
    assert len(reads) == 2, "the same content under another time stamp is the same"


def test_the_same_size_within_the_same_time_stamp(advisor: Advisor, reads: list[int]) -> None:
    Path("train.py").write_text(BROKEN)
    assert findings(advisor)
    before = os.stat("train.py")
    Path("train.py").write_text(BROKEN.replace("(4, 2", "(4,2)"))
    os.utime("train.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert findings(advisor) == []


def test_an_imported_file_outside_the_paths_changes_or_appears(advisor: Advisor, reads: list[int]) -> None:
    Path("app").mkdir()
    for path in Path().glob("part*.py"):
        path.rename(Path("app") / path.name)
    Path("app/main.py").write_text(MAIN)
    run = ("lint", "app", "--format", "json", "--select", "missing-zero-grad")

    def found() -> list[str]:
        return [finding["file"] for finding in advisor(*run).json["findings"]]

    assert found() == []
    Path("engine.py").write_text(ENGINE.format(zero="pass"))
    Path("pyproject.toml").write_text("")
    assert found() == ["engine.py"], "a module that was looked for and not found is there now"
    assert found() == ["engine.py"]
    Path("engine.py").write_text(ENGINE.format(zero="optimizer.zero_grad()"))
    assert found() == []
    assert len(reads) == 3


def test_settings_and_options(advisor: Advisor, reads: list[int]) -> None:
    Path("broken.py").write_text(BROKEN)
    assert findings(advisor) and findings(advisor)
    assert findings(advisor, "--ignore", "syntax-error") == []
    Path("advisor.toml").write_text('ignore = ["syntax-error"]\n')
    assert findings(advisor) == []
    Path("advisor.toml").write_text('ignore = ["unreadable-file"]\n')
    assert findings(advisor)
    assert findings(advisor, "--isolated")
    before = len(reads)
    assert findings(advisor, "--no-cache") and findings(advisor, "--no-cache")
    assert len(reads) == before + 2


def test_a_cache_that_is_damaged_or_cannot_be_written(advisor: Advisor, reads: list[int]) -> None:
    Path("broken.py").write_text(BROKEN)
    assert findings(advisor)
    for path in Path(".advisor_cache").glob("*.json"):
        path.write_text('{"settings": {}')
    assert findings(advisor)
    for path in Path(".advisor_cache").iterdir():
        path.unlink()
    Path(".advisor_cache").rmdir()
    Path(".advisor_cache").write_text("in the way")
    assert findings(advisor)


def test_old_results_are_forgotten_and_few_files_leave_nothing_behind(advisor: Advisor, reads: list[int]) -> None:
    for name in list(cards.load())[:12]:
        advisor("lint", ".", "--ignore", name)
    assert len(list(Path(".advisor_cache").glob("*.json"))) <= 8
    Path("few").mkdir()
    Path("few/train.py").write_text(CLEAN)
    os.chdir("few")
    advisor("lint", ".")
    assert not Path(".advisor_cache").exists()


def test_a_folder_that_was_looked_for_as_a_file_does_not_undo_the_result(advisor: Advisor, reads: list[int]) -> None:
    Path("data").mkdir()
    Path("train.py").write_text('import torch\nimport yaml\n\nsettings = yaml.safe_load(open("data"))\n')
    assert findings(advisor) == findings(advisor)
    assert len(reads) == 1
    Path("data").rmdir()
    Path("data").write_text("lr: 0.1\n")
    findings(advisor)
    assert len(reads) == 2
