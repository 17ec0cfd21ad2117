"""Settings of Lightning's Trainer under the names that they had before."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import value_of
from advisor.read import read

PROGRAM = """\
import pytorch_lightning as pl
import torch

class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def training_step(self, batch, index):
        x, y = batch
        return torch.nn.functional.cross_entropy(self.layer(x), y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

pl.Trainer({settings}).fit(Net())
"""


@pytest.mark.parametrize(("settings", "epochs"), [("max_nb_epochs=5", 5), ("max_epochs=7", 7), ("", 1000), ("min_nb_epochs=3", 1000)])
def test_epochs(tmp_path: Path, settings: str, epochs: int) -> None:
    (tmp_path / "train.py").write_text(PROGRAM.format(settings=settings))
    (recipe,) = read([str(tmp_path / "train.py")]).recipes
    assert value_of(recipe.epochs) == epochs
