"""Reading with --no-prefilter: every function of every file is entered, and what is parsed is not kept for ever."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from advisor.model.recipe import Recipe
from advisor.read import programs as read_programs
from advisor.read import read
from advisor.read.python import assembly, imports
from advisor.read.python import program as programs
from advisor.read.python import project as projects
from advisor.read.python import reader as readers
from advisor.read.python.frames import Frame
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

    def forget(self: projects.Project, told: Collection[str] = (), *, everything: bool = False) -> list[str]:
        dropped = genuine(self, told, everything=everything)
        held.append(sum(isinstance(module, projects.SourceModule) for module in self.modules.values()))
        return dropped

    monkeypatch.setattr(projects.Project, "forget", forget)
    monkeypatch.setattr(projects, "MOST_HELD", 2_000)
    for number in range(60):
        (tmp_path / f"a{number}.py").write_text(f"import torch\ndef f{number}(): pass\n" + "#" * 80)
    reading = read([str(path) for path in sorted(tmp_path.iterdir())], prefilter=False)
    assert (reading.files, len(reading.parsed), reading.functions_entered, len(reading.recipes)) == (60, 60, 60, 60)
    assert max(held) <= 20


PROGRAM = """\
import shared
class Model:
    def __init__(self): self.parts = [part for part in (1, 2)]
    def forward(self, x):
        def inner(y): return lambda z: inner(z)
        return inner(x)
def made(f):
    def wrapped(*a): return f(*a)
    return wrapped
@made
def main(): return Model().forward(1)
main()
"""


def test_what_was_judged_is_let_go_without_a_search_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MOST_HELD", 1_000)
    (tmp_path / "shared.py").write_text("def helper(): pass\n")
    for number in range(40):
        (tmp_path / f"a{number}.py").write_text(PROGRAM)
    judged: list[tuple[str, int]] = []

    def judge(recipe: Recipe) -> set[str]:
        judged.append((recipe.entry, len(recipe.tree)))
        return set()

    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(thing, Frame) for thing in gc.get_objects())
        reading = read([str(path) for path in sorted(tmp_path.iterdir())], prefilter=False, judge=judge)
        left = sum(isinstance(thing, Frame) for thing in gc.get_objects()) - before
    finally:
        gc.enable()
    assert len(judged) == len(reading.recipes) == 40
    assert not any(recipe.tree for recipe in reading.recipes)
    assert left <= 10, "each of the programs made a dozen"


def test_the_text_stays_of_files_that_something_was_found_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MOST_HELD", 100)
    for number in range(6):
        comment = "# advisor: ignore[x]\n" if number == 3 else "# advised: ignore[x]\n"
        (tmp_path / f"a{number}.py").write_text(f"def f{number}(): pass\n" + comment * 9)
    paths = [str(tmp_path / f"a{number}.py") for number in range(6)]
    reading = read(paths, prefilter=False, judge=lambda recipe: {recipe.entry} if recipe.entry.endswith("a1.py") else set())
    assert [number for number in range(6) if reading.texts[paths[number]]] == [1, 3, 4, 5], "found in, commented, read last"


def test_what_is_left_by_a_program_that_takes_much_memory_is_read_on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST_MADE", -1_000_000_000)
    for number in range(5):
        (tmp_path / f"a{number}.py").write_text(f"import a{number + 1}\ndef f{number}(): pass\n")
    (tmp_path / "a5.py").write_text("def f5(): pass\n")
    reading = read([str(tmp_path / f"a{number}.py") for number in range(6)], prefilter=False)
    assert (reading.functions, reading.functions_entered) == (6, 6)
    assert [len(recipe.files) for recipe in reading.recipes] == [6, 5, 4, 3, 2, 1]


def test_a_program_of_too_many_files_imports_no_more_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (imports, assembly, read_programs):
        monkeypatch.setattr(module, "LARGEST_PROGRAM", 1_000)
    for number in range(9):
        (tmp_path / f"m{number}.py").write_text("x = 1\n" + "#" * 300)
    (tmp_path / "a.py").write_text("import torch\n" + "".join(f"import m{number}\n" for number in range(9)) + "y = m8.x\n")
    [recipe] = read([str(tmp_path / "a.py")]).recipes
    assert [Path(file).name for file in recipe.files] == ["a.py", "m0.py", "m1.py", "m2.py"]
    assert recipe.budget_cuts == 1
    [note] = recipe.not_read
    assert (note.line, note.why) == (5, "the files of this program have more than 1,000 characters: no more are imported")
    assert (recipe.optimizers.complete, recipe.optimizers.why) == (False, "the program is too large to be read whole")


def test_a_part_of_a_library_imports_little_unless_it_trains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_programs, "LARGEST_PART", 1_000)
    monkeypatch.setattr(read_programs, "FEW_PARTS", 2)
    for number in range(9):
        (tmp_path / f"m{number}.py").write_text("x = 1\n" + "#" * 300)
    imports_all = "import torch\n" + "".join(f"import m{number}\n" for number in range(9)) + "class Net(torch.nn.Module):\n    pass\n"
    (tmp_path / "helper.py").write_text(imports_all)
    (tmp_path / "trained.py").write_text(imports_all + "def step(loss):\n    loss.backward()\n")
    helper, trained = read(sorted(map(str, tmp_path.iterdir()))).recipes
    assert [Path(file).name for file in helper.files] == ["helper.py", "m0.py", "m1.py", "m2.py"]
    [note] = helper.not_read
    assert (note.line, note.why) == (5, "the files of this program have more than 1,000 characters: no more are imported")
    assert helper.budget_cuts == 0  # less is read on purpose
    assert [Path(file).name for file in trained.files] == ["trained.py", *(f"m{number}.py" for number in range(9))]
    assert not trained.not_read


def test_what_an_import_made_stays_for_the_next_program(tmp_path: Path) -> None:
    (tmp_path / "wrapping.py").write_text("def wrap(f):\n    def inner(*a): return f(*a)\n    return inner\n")
    (tmp_path / "library.py").write_text("from wrapping import wrap\n@wrap\ndef rate(): return 0.5\n")
    for number in range(3):
        program = "import torch\nfrom library import rate\ntorch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=rate())\n"
        (tmp_path / f"a{number}.py").write_text(program)
    read_rates: list[object] = []

    def judge(recipe: Recipe) -> set[str]:
        read_rates.extend(getattr(optimizer.settings["lr"], "value", None) for optimizer in recipe.optimizers)
        return set()

    read([str(tmp_path / f"a{number}.py") for number in range(3)], judge=judge)
    assert read_rates == [0.5] * 3


def refused(path: Path, text: str) -> list[tuple[int, str]]:
    """Lines and callees of the calls that are refused in a file."""
    path.write_text(text)
    reading = read([str(path)], prefilter=False)
    assert not reading.crashes
    return [(fact.place.line, fact.callee) for recipe in reading.recipes for fact in recipe.refused_calls.items]


def test_a_function_that_nobody_calls_sees_what_the_one_around_it_binds(tmp_path: Path) -> None:
    text = """
def shown(a): return a

def test():
    from elsewhere import shown
    raises(TypeError, lambda: shown(1, width=2))
    raises(TypeError, lambda: other(1, width=2))

def other(a): return a
"""
    assert refused(tmp_path / "a.py", text) == [(7, "other")]


def test_the_function_that_makes_an_object_is_not_bound_to_one(tmp_path: Path) -> None:
    text = """
class Held:
    def __new__(cls, value):
        made = object.__new__(cls)
        made.value = value
        return made

    def twice(self):
        return self.__new__(type(self), self.value * 2)

    def wrong(self):
        return self.__new__(type(self), self.value, 2)

class More(Held):
    def __new__(cls, value):
        return super().__new__(cls, value)
"""
    assert refused(tmp_path / "a.py", text) == [(12, "__new__")]


def test_a_base_that_is_not_known_may_have_the_method(tmp_path: Path) -> None:
    text = """
import sys

class Plain:
    def take(self, a): return a

class First({}, Plain):
    def use(self):
        return self.take(1, option=2)
"""
    assert refused(tmp_path / "a.py", text.format("chosen(sys.argv)")) == []
    assert refused(tmp_path / "b.py", text.replace("{}, ", "")) == [(9, "take")]


def test_a_method_of_the_class_that_nobody_calls_is_given_the_class(tmp_path: Path) -> None:
    text = """
import torch
from torch import nn

class Scaled(nn.Module):
    def __init__(self, scale, shift):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x):
        return x * self.scale + self.shift

    @classmethod
    def of(cls, held):
        return cls(held.scale, held.shift)

    @classmethod
    def wrong(cls, held):
        return cls(held.scale, held.shift, 1)

    @staticmethod
    def half(held):
        return Scaled(held.scale / 2, held.shift)
"""
    assert refused(tmp_path / "a.py", text) == [(19, "Scaled")]
