"""Models that stay on the CPU are told of; one that anything moves, in whatever way, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

RUN = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, x):
        return self.body(x)

device = "cuda"
loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
a, b = Net(), Net()
{moving}
optimizer = torch.optim.AdamW([*a.parameters(), *b.parameters()], lr=1e-3)
for x, y in loader:
    x, y = {batch}
    optimizer.zero_grad()
    nn.functional.cross_entropy(a(x) + b(x), y).backward()
    optimizer.step()
"""
MOVED = "x.to(device), y.to(device)"

MOVING = [
    "list(map(lambda net: net.cuda(), (a, b)))",
    "nets = {'a': a, 'b': b}\nfor name, net in nets.items():\n    nets[name] = net.to(device)",
    "for net in (a, b):\n    net.apply(lambda part: part.cuda())",
    "for net in (a, b):\n    getattr(net, 'cuda')()",
    "nn.ModuleDict({'a': a, 'b': b}).to(device)",
    "for parameter in [*a.parameters(), *b.parameters()]:\n    parameter.data = parameter.data.cuda()",
    "for net in (a, b):\n    for part in net.children():\n        part.cuda()",
    "nn.Module.cuda(a)\nnn.Module.cuda(b)",
    "a, b = nn.DataParallel(a), nn.DataParallel(b)",
    "with torch.device(device):\n    a, b = Net(), Net()",
    "torch.set_default_device(device)",
    "from lab import put\nput({'nets': [a, b]})",
    "import sys\nif len(sys.argv) > 1:\n    a.cuda()\n    b.cuda()",
]


@pytest.mark.parametrize("moving", MOVING)
def test_a_model_that_something_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moving: str) -> None:
    assert left_behind(tmp_path, monkeypatch, moving, MOVED) == 0


BATCHES = [
    (MOVED, 2),
    ("x.cuda(), y.cuda()", 2),
    ("x.to(torch.device('cuda' if torch.cuda.is_available() else 'cpu'), torch.float32), y.to(device)", 2),
    ("x.to(torch.float16), y", 0),
    ("x.to('cpu'), y.to('cpu')", 0),
    ("x.to(next(a.parameters()).device), y", 0),
    ("x.cuda().cpu(), y", 0),
]


@pytest.mark.parametrize(("batch", "expected"), BATCHES)
def test_a_batch_that_is_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: str, expected: int) -> None:
    assert left_behind(tmp_path, monkeypatch, "", batch) == expected


def left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moving: str, batch: str) -> int:
    """How many models stay where they are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(RUN.format(moving=moving, batch=batch))
    rules = cards.load()
    found = lint(read(["train.py"]), lambda file: Choice(rules), rules).findings
    return sum((finding.rule, finding.case) == ("device-mismatch", "model-stays") for finding in found)
