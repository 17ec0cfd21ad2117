"""What reading costs, counted in evaluated expressions: exact, and the same on every machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from advisor.read import read

LOOP = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        return x + torch.relu(self.inner(x))

class Net(nn.Module):
    def __init__(self, depth=48, width=64):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)

torch.manual_seed(0)
model = Net()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(torch.randn(512, 64), torch.randint(0, 10, (512,))), batch_size=32, shuffle=True)
for epoch in range(10):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""
TABLE = f"NAMES = {[{'id': number, 'name': str(number)} for number in range(3000)]}\n"  # as data sets write their classes down


def steps(folder: Path, text: str) -> int:
    """How many expressions and statements the reading of a program takes."""
    path = folder / "train.py"
    path.write_text(text)
    reading = read([str(path)])
    assert not reading.crashes
    return sum(recipe.steps_taken for recipe in reading.recipes)


@pytest.mark.parametrize(("text", "most"), [pytest.param(LOOP, 130, id="deep model"), pytest.param(LOOP + TABLE, 480, id="large table")])
def test_reading_takes_no_more_steps(text: str, most: int, tmp_path: Path) -> None:
    taken = steps(tmp_path, text)
    assert taken <= most, f"{taken} steps; more than {most} need a reason"


def test_calls_alike_are_not_followed_for_ever(tmp_path: Path) -> None:
    shallow, deep = (steps(tmp_path, LOOP.replace("depth=48", f"depth={depth}")) for depth in (24, 4800))
    assert deep < 2 * shallow


def test_a_large_table_costs_less_than_its_nodes(tmp_path: Path) -> None:
    nodes = sum(1 for _ in ast.walk(ast.parse(TABLE)))
    assert steps(tmp_path, LOOP + TABLE) - steps(tmp_path, LOOP) < nodes / 20
