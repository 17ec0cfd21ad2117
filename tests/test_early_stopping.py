"""Early stopping written by hand: how long it really waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import value_of
from advisor.model.stopping import epochs_waited
from advisor.read import read

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
best, bad = float("inf"), 0
for epoch in range(100):
    loss = nn.functional.mse_loss(model(torch.randn(8, 4)), torch.zeros(8, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if loss.item() < best:
        best, bad = loss.item(), 0
    else:
        bad += 1
    if bad OPERATOR 5:
        break
"""


@pytest.mark.parametrize(("operator", "waited"), [(">=", 5), ("==", 5), (">", 6)])
def test_a_strict_comparison_waits_one_check_longer(tmp_path: Path, operator: str, waited: int) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM.replace("OPERATOR", operator))
    (stop,) = read([str(file)]).recipes[0].early_stopping
    assert (value_of(stop.patience), epochs_waited(stop)) == (5, waited)
