"""Reading with --no-prefilter: every function of every file is entered, and what is parsed is not kept for ever."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from advisor.read import read
from advisor.read.python import project as projects
from advisor.read.python import reader as readers
from tests.conftest import Advisor

EVERY_KIND = """\
import sys

def called(): return lambda: 1
called()
def never(x, *, y=(lambda: 2)):
    def inner(): yield x
    return [lambda: inner()]
def generator():
    def below(): pass
    yield 1
async def waits():
    async with x as y:
        async def inside(): return y
class C:
    @property
    def p(self): return 1
    @staticmethod
    def s(): return 2
    @classmethod
    def c(cls): return 3
    async def a(self): yield self
    class Inner:
        def m(self): return super().m()
if sys.version_info < (3, 0):
    def never_defined(): return lambda q: q
def leaves():
    return
    def after(): pass
try:
    def tried(): pass
except ImportError:
    def caught(): pass
@unknown.decorator
def decorated(f): return decorated(f)
for i in range(0):
    def in_no_turn(): pass
raise SystemExit
def below_the_end(): pass
"""
FUNCTIONS = 24


def test_every_function_is_entered(advisor: Advisor) -> None:
    Path("every.py").write_text(EVERY_KIND)
    Path("user.py").write_text("import every\ndef own(): return every.never(1)\n")
    Path("test_all.py").write_text("def test_it(): assert True\n")
    ran = advisor("lint", ".", "--no-prefilter", "--statistics", "--no-cache")
    assert f"3 files, 3 parsed, {FUNCTIONS + 2} of {FUNCTIONS + 2} functions entered" in ran.out, ran.out
    assert not ran.err
    assert "functions entered" not in advisor("lint", ".", "--statistics", "--no-cache").out


def test_a_function_has_a_budget_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "HARD_BUDGET", 45_000)
    large = "def large():\n" + "    x = [1, 2, 3]\n" * 3_000
    (tmp_path / "a.py").write_text("x = [1, 2, 3]\n" * 15_000 + large * 3 + "def last(): return 1\n")
    reading = read([str(tmp_path / "a.py")], prefilter=False)
    assert (reading.functions, reading.functions_entered) == (4, 4)
    assert sum(recipe.budget_cuts for recipe in reading.recipes) == 4, "the top level, and each of the three"


def test_a_function_that_is_nested_too_deeply_does_not_end_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "def deep(a):\n    if a:\n        x = 0\n" + "".join(f"    elif a == {i}:\n        x = {i}\n" for i in range(600))
    (tmp_path / "a.py").write_text(deep + "def last(): return 1\n")
    before = sys.getrecursionlimit()
    reading = read([str(tmp_path / "a.py")], prefilter=False)
    assert (reading.functions, reading.functions_entered) == (2, 2)
    assert sys.getrecursionlimit() == before
    assert [recipe.budget_cuts for recipe in reading.recipes] == [1]


def test_what_is_parsed_is_forgotten_once_it_is_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    genuine = projects.Project.forget

    def forget(self: projects.Project) -> None:
        genuine(self)
        held.append(sum(isinstance(module, projects.SourceModule) for module in self.modules.values()))

    monkeypatch.setattr(projects.Project, "forget", forget)
    monkeypatch.setattr(projects, "MOST_HELD", 2_000)
    for number in range(60):
        (tmp_path / f"a{number}.py").write_text(f"import torch\ndef f{number}(): pass\n" + "#" * 80)
    reading = read([str(path) for path in sorted(tmp_path.iterdir())], prefilter=False)
    assert (reading.files, reading.parsed, reading.functions_entered, len(reading.recipes)) == (60, 60, 60, 60)
    assert max(held) <= 20
