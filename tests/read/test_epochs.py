"""How many epochs a program trains for, told by the loops around its backward, and what is stepped in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import candidates, value_of
from advisor.read import read

HEAD = """\
import torch
from torch.utils.data import DataLoader, TensorDataset

data = torch.randn(64, 4)
loader = DataLoader(TensorDataset(data), batch_size=8)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

def step(x):
    optimizer.zero_grad()
    model(x).mean().backward()
    optimizer.step()

"""


@pytest.mark.parametrize(
    ("loops", "epochs", "steps"),
    [
        ("for epoch in range(5):\n    for (x,) in loader:\n        step(x)", 5, 40),
        ("for epoch in range(5):\n    for (x,) in loader:\n        for again in range(3):\n            step(x)", 5, 40),  # several steps on a batch
        ("for (x,) in loader:\n    for again in range(3):\n        step(x)", None, None),
        ("turns = list(range(50))\nfor epoch in turns:\n    for (x,) in loader:\n        step(x)", 50, 400),
        ("turns = list(range(50))\nturns.append(90)\nfor epoch in turns:\n    for (x,) in loader:\n        step(x)", None, None),
        ("turns = list(range(50))\ndel turns[:9]\nfor epoch in turns:\n    for (x,) in loader:\n        step(x)", None, None),
        ("turns = list(range(50))\nturns.pop()\nfor epoch in turns:\n    for (x,) in loader:\n        step(x)", None, None),
        ("for run in range(5):\n    for epoch in range(100):\n        step(data)", 5, 500),  # of two counts, the outer one
        (
            "for run in range(5):\n    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)\n    for epoch in range(100):\n        step(data)",
            100,
            100,
        ),  # each turn of the outer one is a run
        ("for fold in [data[:32], data[32:]] * 20:\n    for epoch in range(100):\n        step(fold)", 100, 100),
    ],
)
def test_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loops: str, epochs: int | None, steps: int | None) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(HEAD + loops + "\n")
    (recipe,) = read(["train.py"]).recipes
    assert (value_of(recipe.epochs), value_of(recipe.steps)) == (epochs, steps)


UNCOUNTED = """\
import math
import torch
from datasets import load_from_disk
from torch.utils.data import DataLoader

loader = DataLoader(load_from_disk("rows").with_format("torch"), batch_size=8)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
each, done, first = math.ceil(len(loader) / 1), 0, 0
"""
BODY = "        optimizer.zero_grad()\n        model(x).mean().backward()\n        optimizer.step()\n        done += 1\n"


@pytest.mark.parametrize(
    ("epochs", "end", "steps"),
    [
        ("math.ceil(900 / each)", "        if done >= 900:\n            break\n", 900),
        ("first, 900 // each + 1", "        if done >= 900:\n            break\n", 900),
        ("math.ceil(900 / each)", "", None),  # the last epoch is done to its end, wherever that is
        ("int(each)", "        if done >= 900:\n            break\n", None),
        ("math.ceil(900 / len(model))", "        if done >= 900:\n            break\n", None),
    ],
)
def test_steps_that_epochs_are_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: str, end: str, steps: int | None) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(f"{UNCOUNTED}for epoch in range({epochs}):\n    for x in loader:\n{BODY}{end}")
    (recipe,) = read(["train.py"]).recipes
    assert value_of(recipe.steps) == steps


RESUMED = """\
import os
start = {start}
if os.path.exists("last.pt"):
    start = torch.load("last.pt")["epoch"] + 1
for epoch in range(start, {end}):
    for (x,) in loader:
        step(x)
"""


@pytest.mark.parametrize(
    ("start", "end", "epochs"),
    [
        ("1", "50 + 1", 50),
        ("1", "51", 50),
        ("0", "50", 50),
        ("0", "50 + 1", 51),
        ('torch.load("first.pt")["epoch"] + 1', "50 + 1", 50),
        ('torch.load("first.pt")["epoch"]', "50", 50),
    ],
)
def test_epochs_of_a_run_that_may_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str, end: str, epochs: int) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(HEAD + RESUMED.format(start=start, end=end))
    (recipe,) = read(["train.py"]).recipes
    assert [known.value for known in candidates(recipe.epochs)] == [epochs]


def test_parts_of_a_schedule_are_stepped_with_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(
        HEAD + "from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR\n"
        "parts = [LinearLR(optimizer, 0.1, total_iters=5), CosineAnnealingLR(optimizer, 15)]\n"
        "schedule = SequentialLR(optimizer, parts, milestones=[5])\n"
        "for epoch in range(20):\n    for (x,) in loader:\n        step(x)\n    schedule.step()\n"
    )
    (recipe,) = read(["train.py"]).recipes
    assert [scheduler.stepped for scheduler in recipe.schedulers] == ["epoch", "epoch", "epoch"]
