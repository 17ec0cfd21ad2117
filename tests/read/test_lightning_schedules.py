"""What Lightning hands to the steps of schedules."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

PROGRAM = """\
import pytorch_lightning as pl
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset


class Net(pl.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.out = nn.Linear(20, 3)
        self.lr = lr

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": ReduceLROnPlateau(optimizer, mode="min", factor=0.1, patience=100),
                "monitor": "train_loss",
                "interval": "step",
                "frequency": 1,
            },
        }

    def training_step(self, batch, index):
        x, y = batch
        loss = nn.functional.cross_entropy(self.out(x), y)
        self.log("train_loss", loss, on_step=True, on_epoch=False, prog_bar=True)
        return loss


pl.seed_everything(0)
loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True, drop_last=True)
trainer = pl.Trainer(max_epochs=100)
trainer.fit(Net(1e-3), loader)
"""


@pytest.mark.parametrize("interval", ["step", "epoch"])
def test_a_plateau_is_handed_the_metric_that_is_named(tmp_path: Path, interval: str) -> None:
    (tmp_path / "train.py").write_text(PROGRAM.replace('"interval": "step"', f'"interval": "{interval}"'))
    every = cards.load()
    result = lint(read([str(tmp_path / "train.py")]), lambda file: Choice(every, {}), frozenset(every))
    assert not [finding.message for finding in result.findings if finding.rule == "plateau-without-metric"]
