"""Lightning Fabric: the loop is the program's own, and everything set up stays what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind, events
from advisor.model.recipe import Recipe
from advisor.model.source import value_of
from advisor.read import read

TRAIN = """
IMPORT
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main(fabric, rate):
    fabric.seed_everything(7)
    loader = fabric.setup_dataloaders(DataLoader(TensorDataset(torch.randn(100, 4), torch.randint(0, 2, (100,))), batch_size=10, shuffle=True))
    with fabric.init_module():
        net = nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
    net, optimizer = fabric.setup(net, optimizer)
    for epoch in range(5):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x).softmax(1), y)
            with fabric.no_backward_sync(net, enabled=False):
                fabric.backward(loss)
            fabric.clip_gradients(net, optimizer, max_norm=0.5)
            optimizer.step()
    fabric.save("last.ckpt", {"model": net, "optimizer": optimizer})


START
"""


def recipe(tmp_path: Path, start: str, imported: str = "import lightning as L") -> Recipe:
    file = tmp_path / "train.py"
    file.write_text(TRAIN.replace("IMPORT", imported).replace("START", start))
    (found,) = read([str(file)]).recipes
    return found


@pytest.mark.parametrize(
    ("start", "imported"),
    [
        ("fabric = L.Fabric(devices=2, precision='bf16-mixed')\nfabric.launch(main, 0.01)", "import lightning as L"),
        ("fabric = Fabric(precision='bf16-mixed')\nfabric.launch()\nmain(fabric, 0.01)", "from lightning.fabric import Fabric"),
        ("main(Fabric(precision='bf16-mixed'), 0.01)", "from lightning_fabric import Fabric"),
    ],
)
def test_a_program_with_fabric(tmp_path: Path, start: str, imported: str) -> None:
    found = recipe(tmp_path, start, imported)
    (optimizer,), (clip,), (loader,), (seed,) = found.optimizers, found.clipping, found.loaders, found.seeds
    given = (optimizer.settings["lr"], clip.value, loader.settings["batch_size"], seed.value)
    assert [value_of(setting) for setting in given] == [0.01, 0.5, 10, 7]
    assert loader.role == "train" and clip.parameters is not None and clip.parameters.modules == optimizer.modules
    [(step, _)] = events(found.tree, Kind.OPTIMIZER_STEP)
    [(backward, context)] = events(found.tree, Kind.BACKWARD)
    assert step.subject is optimizer and backward.data["flow"].modules == optimizer.modules
    assert context.loops[-1].over is loader
    assert value_of(found.precision) == "bf16-mixed" and value_of(found.epochs) == 5
    assert found.framework == "plain" and "shard" in found.owner_silences
    assert not found.not_read
