"""Whether a recurrent layer is trained through time."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.kinds import family
from advisor.model.recipe import Module
from tests.read.tiny import run


@pytest.mark.parametrize(
    ("layer", "calls", "recurrence"),
    [
        ("nn.LSTM(8, 16, batch_first=True)", "rnn(x)", "sequence"),
        ("nn.LSTM(8, 16, batch_first=True)", "rnn(x.view(x.shape[0], 1, -1))", "step"),
        ("nn.LSTM(8, 16, batch_first=True)", "rnn(x.reshape((x.size(0), 1, 8)))", "step"),
        ("nn.LSTM(8, 16, batch_first=True)", "rnn(x.unsqueeze(1))", "step"),
        ("nn.GRU(8, 16)", "rnn(x.unsqueeze(0))", "step"),
        ("nn.GRU(8, 16)", "rnn(torch.unsqueeze(x, 0))", "step"),
        ("nn.LSTM(8, 16, batch_first=True)", "rnn(x.view(1, x.shape[0], -1))", "sequence"),  # a batch of one
        ("nn.LSTM(1, 16, batch_first=True)", "rnn(x.unsqueeze(2))", "sequence"),  # steps of one number
        ("nn.GRU(8, 16)", "rnn(x.view(1, 1, -1), state)", "sequence"),  # one step, but its state comes from the step before
        ("nn.GRU(8, 16)", "rnn(x.view(1, 1, -1), hx=state)", "sequence"),
        ("nn.GRU(8, 16)", "rnn(x.unsqueeze(0).repeat(10, 1, 1))", "sequence"),  # no longer of one entry
        ("nn.GRU(8, 16)", "rnn(x.unsqueeze(0))\nrnn(x)", "sequence"),  # once alone is not always alone
        ("nn.GRU(8, 16)", "rnn(x)\nrnn(x.unsqueeze(0))", "sequence"),
        ("nn.GRU(8, 16)", "rnn(x.view(1, 1, -1), state.detach())", "step"),  # nothing goes back to the step before
        ("nn.LSTM(8, 16)", "rnn(x.unsqueeze(0), (state.detach(), state.detach()))", "step"),
        ("nn.LSTM(8, 16)", "rnn(x.unsqueeze(0), (state, state.detach()))", "sequence"),
        ("nn.GRU(8, 16)", "rnn(x, state.detach())", "sequence"),  # backpropagation is cut between sequences, not in them
        ("nn.GRU(8, 16)", "rnn(nn.functional.one_hot(x, 8).unsqueeze(0), state.detach())\nwith torch.no_grad():\n    rnn(x, state)", "step"),
        ("nn.GRUCell(8, 16)", "rnn(x)", "step"),
    ],
)
def test_recurrence(tmp_path: Path, layer: str, calls: str, recurrence: str) -> None:
    text = f"import torch\nfrom torch import nn\nrnn = {layer}\nx = torch.rand(4, 8)\nstate = torch.zeros(1, 1, 16)\n{calls}\n"
    [fact] = [module for module in run(tmp_path, text).recipe.modules if isinstance(module, Module)]
    assert fact.recurrence == recurrence


def test_an_embedding_keeps_a_single_step(tmp_path: Path) -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\nclass Next(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.items, self.rnn = nn.Embedding(9, 8), nn.GRU(8, 16)\n\n    def forward(self, item):\n"
        "        return self.rnn(self.items(item.unsqueeze(0)))\n\n\nNext()(torch.zeros(4).long())\n"
    )
    [recurrence] = [module.recurrence for module in run(tmp_path, text).recipe.modules if module.name == "GRU"]
    assert recurrence == "step"


NET = """
import torch
from torch import nn
from {library} import {layer}


class Own({layer}):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(16, 16)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(16, 16)
        self.layer = {made}


net = Net()
optimizer = torch.optim.Adam(net.parameters())
"""


@pytest.mark.parametrize(("library", "layer"), [("dgl.nn.pytorch.glob", "Set2Set"), ("torch_geometric.nn", "GCNConv")])
def test_layers_of_graph_libraries_tell_the_family(tmp_path: Path, library: str, layer: str) -> None:
    [optimizer] = run(tmp_path, NET.format(library=library, layer=layer, made=f"{layer}(16, 16)")).recipe.optimizers
    assert family(optimizer.modules) == "gnn"


def test_a_layer_derived_from_one_of_a_graph_library(tmp_path: Path) -> None:
    [optimizer] = run(tmp_path, NET.format(library="torch_geometric.nn", layer="MessagePassing", made="Own()")).recipe.optimizers
    assert [part.name for module in optimizer.modules for part in module.layers("Linear")] == ["Linear"]
