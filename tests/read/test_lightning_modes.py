"""Which way a metric is better, where nothing is said of it: releases of Lightning differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import value_of
from advisor.read import read

PROGRAM = """\
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(20, 3)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def training_step(self, batch, index):
        x, y = batch
        return nn.functional.cross_entropy(self.out(x), y)


loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
stop = pl.callbacks.EarlyStopping("METRIC", patience=3)
save = pl.callbacks.ModelCheckpoint(monitor="METRIC")
pl.Trainer(max_epochs=30, callbacks=[stop, save]).fit(Net(), loader)
"""


@pytest.mark.parametrize(
    ("version", "metric", "stops", "saves"),
    [
        ("1.0.8", "val_acc", "min", "max"),
        ("1.0.8", "acc", "max", "max"),
        ("0.9.0", "val_f1", "min", "min"),
        ("1.2.10", "val_acc", "max", "max"),
        ("1.2.10", "val_f1", "min", "min"),
        ("1.3.0", "val_acc", "min", "min"),
        (None, "val_acc", "min", "min"),
    ],
)
def test_the_way_that_is_taken(version: str | None, metric: str, stops: str, saves: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(PROGRAM.replace("METRIC", metric))
    if version is not None:
        Path("requirements.txt").write_text(f"pytorch-lightning=={version}\n")
    recipe = read(["train.py"]).recipes[0]
    assert [value_of(stop.mode) for stop in recipe.early_stopping] == [stops]
    assert [value_of(save.mode) for save in recipe.saves] == [saves]
