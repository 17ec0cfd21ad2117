"""Programs that do the same so often that the tree leaves calls out: what such a call may have done is not missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read
from advisor.read.python import functions

PROGRAM = """\
import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)


class Stepper:
    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


torch.manual_seed(0)
data = torch.randn(100, 32, 20)
critic = Critic()
stepper = Stepper(torch.optim.Adam(critic.parameters(), lr=1e-3))
for epoch in range(10):
    for x in data:
        loss = nn.functional.mse_loss(critic(x), x.mean(dim=1, keepdim=True))
        TRAIN
    critic.eval()
    with torch.no_grad():
        print(nn.functional.mse_loss(critic(data[0]), data[0].mean(dim=1, keepdim=True)))
    critic.train()
MORE
"""
AGAIN = """\
for round in range(10):
    value = critic(data[round])
    loss = nn.functional.mse_loss(value, data[round].mean(dim=1, keepdim=True))
    stepper.step(loss)
"""


def found(text: str) -> list[tuple[str, int]]:
    """What all rules say of a program."""
    Path("train.py").write_text(text)
    rules = cards.load()
    return [(finding.rule, finding.place.line) for finding in lint(read(["train.py"]), lambda file: Choice(rules), rules).findings]


def test_a_call_that_is_left_out_may_have_stepped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = PROGRAM.replace("TRAIN", "stepper.step(loss)")
    many = AGAIN * 40  # more calls than are followed one by one
    assert not found(program.replace("MORE", many))
    monkeypatch.setattr(functions, "MOST_EVENTS", 10)
    assert not found(program.replace("MORE", many))
    measured = AGAIN.replace("stepper.step(loss)", "print(loss.item())")
    assert found(program.replace("MORE", measured)) == [("evaluation-with-gradients", 37)]
