"""Which checkpoint a run goes on from: the one whose counter the training loop begins at."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.finished import finished
from advisor.model.resuming import resumes
from advisor.read import read

HEAD = """\
import argparse
import itertools
import os

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--resume", action="store_true")
parser.add_argument("--path", default="last.pt")
parser.add_argument("--start", type=int, default=0)
parser.add_argument("--epochs", type=int, default=90)
args = parser.parse_args()
model = nn.Linear(4, 2)
optimizer = torch.optim.Adam(model.parameters())
x, y = torch.randn(8, 4), torch.randn(8, 2)

def train():
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()

"""
LOAD = "kept = torch.load(args.path)\nmodel.load_state_dict(kept['model'])\n"


@pytest.mark.parametrize(
    ("text", "counters"),
    [
        (LOAD + "for epoch in range(kept['epoch'], 90): train()", ["epoch"]),
        (LOAD + "for epoch in range(kept['epoch'] + 1, args.epochs + 1): train()", ["epoch"]),
        (LOAD + "start = int(kept['epoch']) if args.resume else 0\nfor epoch in range(start, args.epochs): train()", ["epoch"]),
        (LOAD + "start = max(0, kept['epoch'] - 1)\nfor epoch in range(start, 90): train()", ["epoch"]),
        (LOAD + "start = kept['epoch'].item()\nfor epoch in range(start, start + 90): train()", ["epoch"]),
        (LOAD + "start = kept.get('epoch', 0)\nfor epoch in range(start, 90): train()", ["epoch"]),
        (LOAD + "for step in range(90 - kept['step']): train()", ["step"]),
        (LOAD + "args.start = kept['epoch']\nfor epoch in range(args.start, 90): train()", ["epoch"]),
        (LOAD + "for step in itertools.count(kept['step']): train()", ["step"]),
        (LOAD + "epoch = kept['epoch']\nwhile epoch < 90:\n    train()\n    epoch += 1", ["epoch"]),
        ("epoch = 0\nif args.resume:\n    kept = torch.load(args.path)\n    model.load_state_dict(kept['model'])\n    epoch = kept['epoch']\n"
         "while epoch < args.epochs and epoch < 300:\n    train()\n    epoch += 1", ["epoch"]),
        ("def resume(path):\n    if not os.path.exists(path):\n        return 0, None\n    kept = torch.load(path)\n"
         "    model.load_state_dict(kept['model'])\n    return kept['epoch'], kept['best']\n"
         "start, best = resume(args.path)\nfor epoch in range(start, 90): train()", ["epoch"]),
        ("class Run:\n    def __init__(self):\n        self.start = 0\n        if args.resume:\n            self.load()\n"
         "    def load(self):\n        kept = torch.load(args.path)\n"
         "        model.load_state_dict(kept['model'])\n        self.start = kept['epoch'] + 1\n"
         "    def fit(self):\n        for epoch in range(self.start, args.epochs): train()\n\nRun().fit()", ["epoch"]),
        (LOAD + "for epoch in range(kept['epoch'], 90):\n    for _ in range(7): train()", ["epoch"]),  # the loop around the batches
        (LOAD + "best = torch.load('best.pt')\nnn.Linear(4, 2).load_state_dict(best['model'])\nprint(best['epoch'])\n"
         "for epoch in range(kept['epoch'], 90): train()", ["epoch"]),  # one of two
        # Read, and not where training begins.
        (LOAD + "print('from', kept['epoch'])\nfor epoch in range(args.start, args.epochs): train()", []),
        (LOAD + "rows = [row for row in open('log.csv')][: kept['epoch']]\nfor epoch in range(args.start, args.epochs): train()", []),
        (LOAD + "for epoch in range(kept['epoch']): print(epoch)\nfor epoch in range(args.start, args.epochs): train()", []),
        (LOAD + "for epoch in range(args.start, args.epochs):\n    train()\n    print(epoch + kept['epoch'])", []),
        (LOAD + "loss = kept['loss']\nwhile loss > 0.1: train()", []),  # no counter
        ("kept = torch.load(args.path)\nfor epoch in range(kept['epoch'], 90): train()", []),  # no weights
    ],
)  # fmt: skip
def test_the_counter_that_training_begins_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, counters: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(HEAD + text + "\n")
    (recipe,) = read(["train.py"]).recipes
    with finished():
        assert [resume.counter for resume in resumes(recipe)] == counters
