"""What reading costs, counted in evaluated expressions: exact, and the same on every machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from advisor.discover import discover
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


FIXTURES = Path(__file__).parent.parent / "fixtures"
PROGRAMS = sorted(path for kind in ("healthy", "faulty") for path in (FIXTURES / kind).iterdir() if path.is_dir())
MOST_PER_NODE = 2.2  # the schedule written by hand is read on every step of an unrolled warm-up; all others take less than one


def ratio(folder: Path) -> float:
    """Steps over the nodes of all files: what reading costs beside parsing."""
    reading = read(discover([str(folder)]))
    assert not reading.crashes and not any(recipe.budget_cuts for recipe in reading.recipes)
    nodes = sum(1 for path in folder.rglob("*.py") for _ in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return sum(recipe.steps_taken for recipe in reading.recipes) / nodes


@pytest.mark.parametrize("folder", PROGRAMS, ids=lambda path: path.name)
def test_steps_per_node_of_a_program(folder: Path) -> None:
    assert ratio(folder) <= MOST_PER_NODE


def test_steps_per_node_of_a_repository() -> None:
    assert ratio(FIXTURES) <= 0.67


def test_programs_that_share_their_files(tmp_path: Path) -> None:
    """Each program of a repository executes what it imports, and no more."""
    (tmp_path / "parts.py").write_text(LOOP[: LOOP.index("torch.manual_seed")])
    rest = "from parts import *\n" + LOOP[LOOP.index("torch.manual_seed") :]
    alone = None
    for number in range(1, 7):
        (tmp_path / f"train{number}.py").write_text(rest)
        taken = sum(recipe.steps_taken for recipe in read([str(path) for path in sorted(tmp_path.iterdir())]).recipes)
        alone = alone or taken
        assert taken <= number * alone
