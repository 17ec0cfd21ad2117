"""The best weights that a program keeps: whether they are what it tests, and what becomes of them when it is started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

PROGRAM = """\
import os
import sys
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def part(count):
    return TensorDataset(torch.randn(count, 20), torch.randint(0, 3, (count,)))

def accuracy(loader):
    model.eval()
    with torch.no_grad():
        hits = [(model(x).argmax(dim=1) == y).float().mean().item() for x, y in loader]
    return sum(hits) / len(hits)

def train():
    best = 0.0
    for epoch in range(50):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        score = accuracy(val_loader)
        if score > best:
            best = score
            torch.save(model.state_dict(), "best.pt")

torch.manual_seed(0)
train_loader = DataLoader(part(512), batch_size=32, shuffle=True)
val_loader, test_loader = DataLoader(part(128), batch_size=64), DataLoader(part(128), batch_size=64)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
LINE = len(PROGRAM.splitlines())
LOAD = 'model.load_state_dict(torch.load("best.pt"))\n'
TESTED = "this tests the weights of the last epoch: the best by accuracy, which line 27 keeps, are never loaded"
BEGUN = (
    "the run begins with these weights, and `score > best` begins as in a new one: its first score overwrites their file (line 27), "
    "however good they were"
)


def found(folder: Path, text: str, rule: str) -> list[tuple[int, str]]:
    (folder / "train.py").write_text(text)
    rules = cards.load()
    findings = lint(read([str(folder / "train.py")]), lambda file: Choice(rules), rules, severity="hint").findings
    return [(one.place.line, one.message) for one in findings if one.rule == rule]


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ("train()\nprint(accuracy(test_loader))", [LINE + 2]),
        ('if "train" in sys.argv:\n    train()\n    print(accuracy(test_loader))', [LINE + 3]),
        ("train()\n" + LOAD + "print(accuracy(test_loader))", []),
        ("train()\nprint(accuracy(test_loader))\n" + LOAD + "print(accuracy(test_loader))", []),
        ("train()\nprint(accuracy(val_loader))", []),  # what the best was chosen by
        ("print(accuracy(test_loader))\ntrain()", []),  # before anything is trained
        ('if "train" in sys.argv:\n    train()\nelse:\n    print(accuracy(test_loader))', []),  # a run does one of them
        ("train()\nfresh = nn.Linear(20, 3)\nwith torch.no_grad():\n    print([fresh(x) for x, _ in test_loader])", []),  # another model
    ],
)
def test_the_last_weights_are_tested_and_the_best_are_kept(tmp_path: Path, end: str, lines: list[int]) -> None:
    assert found(tmp_path, PROGRAM + end + "\n", "best-not-tested") == [(line, TESTED) for line in lines]


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ('if os.path.exists("best.pt"):\n    ' + LOAD + "train()", [LINE + 2]),
        (LOAD + "train()", [LINE + 1]),
        (LOAD.replace("best", "other") + "train()", []),
        ("train()\n" + LOAD + "print(accuracy(test_loader))", []),
        ('if "test" in sys.argv:\n    ' + LOAD + "    print(accuracy(test_loader))\n    sys.exit()\ntrain()", []),
        ('if "test" in sys.argv:\n    ' + LOAD + "    print(accuracy(test_loader))\nelse:\n    train()", []),
    ],
)
def test_the_file_that_a_run_begins_with_is_written_over(tmp_path: Path, end: str, lines: list[int]) -> None:
    assert found(tmp_path, PROGRAM + end + "\n", "resume-without-best") == [(line, BEGUN) for line in lines]


def test_a_score_that_comes_back_with_the_weights_is_not_forgotten(tmp_path: Path) -> None:
    measured = PROGRAM.replace("best = 0.0", "best = accuracy(val_loader)")
    assert found(tmp_path, measured + LOAD + "train()\n", "resume-without-best") == []
    read_back = PROGRAM.replace("best = 0.0", 'best = float(open("best.txt").read())')
    assert found(tmp_path, read_back + LOAD + "train()\n", "resume-without-best") == []
