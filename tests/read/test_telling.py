"""Programs that tell the times of their steps and nothing else measure speed; whoever keeps or tells more trains to a result."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.read import read

RUN = """
import argparse
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--save", action="store_true")
args = parser.parse_args()
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(64, 20), torch.randint(0, 3, (64,))
right = 0
for step in range(1000):
    begun = time.perf_counter()
    scores = model(x)
    loss = nn.functional.cross_entropy(scores, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    right += (scores.argmax(1) == y).sum().item()
    taken = time.perf_counter() - begun
"""


@pytest.mark.parametrize(
    "told",
    [
        'print(f"{taken:.3f} s")',
        'print("steps a second:", round(1000 / taken, 1), torch.cuda.max_memory_allocated())',
        'print("%d took %s" % (step, time.perf_counter() - begun))',
        'with open("times.txt", "w") as file:\n    file.write(str(taken))\nprint(loss.item())',
        "print(taken, file=open('times.txt', 'w'))\nprint(right)",
        'print(taken)\nif args.save:\n    torch.save(model.state_dict(), "model.pt")',
    ],
)
def test_a_program_that_tells_times_alone_measures_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """On the screen, or in files beside which the screen shows what it likes; weights are kept only when asked for."""
    assert measures_speed(tmp_path, monkeypatch, RUN + told)


@pytest.mark.parametrize(
    "told",
    [
        "",
        'print("done")',
        "print(taken, loss.item())",
        "print(taken, right)",
        'print(taken)\ntorch.save(model.state_dict(), "model.pt")',
        'with open("log.txt", "w") as file:\n    file.write(f"{taken} {loss.item()}")',
        'import json\nwith open("log.json", "w") as file:\n    json.dump({"right": right}, file)\nprint(taken)',
        'import logging\nlogging.info("%s", right)\nprint(taken)',
        "import sys\nsys.stdout.write(str(right))\nprint(taken)",
        "import numpy\nnumpy.save('scores.npy', scores.detach().numpy())\nprint(taken)",
        "def show(what):\n    print(what)\nprint(taken)\nshow(right)",
    ],
)
def test_a_program_that_keeps_or_tells_more_trains_to_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """A loss, a score, weights, a log; and one that tells nothing at all."""
    assert not measures_speed(tmp_path, monkeypatch, RUN + told)


def measures_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> bool:
    """What is known of the program."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(text)
    recipe = read(["train.py"]).recipes[0]
    assert recipe.trains and recipe.whole
    return recipe.measures_speed
