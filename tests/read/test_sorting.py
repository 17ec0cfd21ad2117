"""Which files are programs, told by their text and by what they import."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import value_of
from advisor.read import read

TRAINING = """\
import torch
from torch import nn

def start(rate):
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for step in range(10):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).sum().backward()
        optimizer.step()
"""
RUN = "from runs import start\n\nif __name__ == '__main__':\n    start(0.1)\n"


@pytest.mark.parametrize(
    "package",
    [
        {"runs.py": TRAINING},
        {"runs/__init__.py": "from .training import start\n", "runs/training.py": TRAINING},
        {
            "runs/__init__.py": "from .inner import start\n",
            "runs/inner/__init__.py": "from .training import start\n",
            "runs/inner/training.py": TRAINING,
        },
    ],
)
def test_a_file_that_starts_what_a_package_hands_on_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: dict[str, str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {**package, "run.py": RUN}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (recipe,) = read(["run.py"]).recipes
    assert [optimizer.name for optimizer in recipe.optimizers] == ["SGD"]


def test_a_file_that_imports_nothing_of_a_framework_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "__init__.py").write_text("from .other import start\nfrom . import other\n")
    (tmp_path / "runs" / "other.py").write_text("import runs\n\ndef start(rate):\n    print(rate)\n")
    (tmp_path / "run.py").write_text(RUN)
    assert read(["run.py"]).recipes == []


def test_of_many_files_those_that_say_nothing_of_training_are_only_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader made in the one that does is read, the call of nothing in the others is not; an error of syntax is told of each."""
    monkeypatch.chdir(tmp_path)
    silent = {f"layer_{number}.py": "from torch import nn\n\nLAYER = nn.Linear(absent, 2)\n" for number in range(50)}
    loading = "from torch.utils.data import DataLoader\n\ndef load(data):\n    return DataLoader(data, batch_size=8)\n"
    for name, text in {**silent, "loading.py": loading, "wrong.py": "import torch\ndef f(:\n    pass\n"}.items():
        (tmp_path / name).write_text(text)
    every = sorted(path.name for path in tmp_path.iterdir())
    found = read(every)
    assert [recipe.entry for recipe in found.recipes] == ["loading.py"]
    assert [(one.place.file, one.place.line) for one in found.broken] == [("wrong.py", 2)]
    assert len(found.parsed) == len(every) - 1
    few = read(every[:20])
    assert len(few.recipes) == 20, "of few, each is read: the programs that import them are looked for"
    assert len(read(every, prefilter=False).recipes) == len(every) - 1


def test_of_many_files_one_that_imports_what_is_not_there_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that stands nowhere in the other file is told; what a try asks for, a folder and a name that stands there are no reason to read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    silent = {f"layer_{number}.py": "from torch import nn\n\nfrom .shared import width\n\nLAYER = nn.Linear(width, 2)\n" for number in range(50)}
    trying = "import torch\n\ntry:\n    from .shared import depth\nexcept ImportError:\n    depth = 2\nfrom . import shared\n"
    lacking = "import torch\n\ntry:\n    import apex\nexcept ImportError:\n    from .shared import (\n        width,\n        height,\n    )\n"
    files = {**silent, "__init__.py": "", "shared.py": "import torch\n\nwidth = 64\n", "trying.py": trying, "lacking.py": lacking}
    for name, text in files.items():
        (tmp_path / "nets" / name).write_text(text)
    found = read(sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "nets").iterdir()))
    assert [recipe.entry for recipe in found.recipes] == ["nets/lacking.py"]
    assert [(name.name, name.missing_in, name.place.line) for name in found.recipes[0].undefined_names] == [("height", "nets/shared.py", 6)]


TRAINERS = """\
from .base import Base

class Plain(Base):
    rate = 0.1

class Slow(Base):
    rate = 0.01
"""
BASE = """\
import torch
from torch import nn

class Base:
    rate = 1.0

    def __init__(self, config):
        self.model = nn.Linear(4, 2)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.rate)

    def loop(self):
        for step in range(10):
            self.optimizer.zero_grad()
            self.model(torch.randn(8, 4)).sum().backward()
            self.optimizer.step()
"""
STARTER = """\
import json
import sys

from work import trainers

if __name__ == "__main__":
    config = json.loads(open(sys.argv[1]).read())
    getattr(trainers, config["type"])(config).loop()
"""


def test_what_starts_a_class_by_a_name_of_its_config_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither it nor what it imports mentions a framework; of the classes of the file that is asked, each may be meant, and none that it imports."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"work/__init__.py": "", "work/trainers.py": TRAINERS, "work/base.py": BASE, "start.py": STARTER}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (recipe,) = read(["start.py"]).recipes
    assert recipe.trains and [value_of(optimizer.settings["lr"]) for optimizer in recipe.optimizers] == [0.1, 0.01]


@pytest.mark.parametrize("more", ["".join(f"\nclass Other{number}(Base):\n    pass\n" for number in range(8)), "from library import *\n"])
def test_of_many_classes_none_is_taken_for_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    monkeypatch.chdir(tmp_path)
    many = TRAINERS + more
    for name, text in {"work/__init__.py": "", "work/trainers.py": many, "work/base.py": BASE, "start.py": STARTER}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (recipe,) = read(["start.py"]).recipes
    assert recipe.optimizers.items == [] and not recipe.optimizers.complete
