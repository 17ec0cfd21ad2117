"""What a program gives where a name or a number belongs may be a list or a dict: it is read all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

HEAD = """\
import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--fixed", type=int)
args = parser.parse_args()
asked = {"least": 4, "most": [8]}
if args.fixed is not None:
    asked = args.fixed
model = nn.Linear(8, 1)
x = torch.randn(4, 8)
loss = model(x).mean()
"""
LINES = [
    "print((loss / asked).item(), (model(x) / asked).sum())",
    "(loss / {'a': 1} if args.fixed else loss / [2]).backward()",
    "torch.save(model.state_dict(), ['a', {}]); model.load_state_dict(torch.load({'a': 1}))",
    "parser.add_argument('--late', action=['store_true'])",
    "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
    "scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[0.3], total_steps=10)\nloss.backward()\noptimizer.step()\nscheduler.step()",
    "import lightning as L\nclass Lit(L.LightningModule):\n    def training_step(self, batch, index):\n"
    "        self.log(['a'], batch.mean())\n        return batch.mean()\nL.Trainer().fit(Lit(), [x])",
]


@pytest.mark.parametrize("line", LINES)
def test_it_is_read(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(HEAD + line + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    rules = cards.load()
    result = lint(read(["train.py"]), lambda file: Choice(rules), rules, severity="hint")
    assert not result.crashes and result.parsed == 1
