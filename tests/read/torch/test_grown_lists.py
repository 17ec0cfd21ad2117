"""Lists of layers that a loop lengthens: which kinds of layers a Sequential of them has, and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Module
from advisor.read.python.values import Tensor
from tests.read.tiny import run

HEAD = "import os\nimport torch\nfrom torch import nn\nfrom elsewhere import depth, block\nfinal = \"FINAL\" in os.environ\nlayers = []\n"
LOOP = "for _ in range(depth):\n    layers.append(nn.Linear(8, 8))\n    layers.append(nn.ReLU())\n"
END = "body = nn.Sequential(*layers)\nx = body(torch.rand(4, 8))\n"


@pytest.mark.parametrize(
    ("loop", "after", "complete", "activation"),
    [
        (LOOP, "", True, None),  # it may have no turn
        (LOOP, "layers.append(nn.Linear(8, 1))\nlayers.append(nn.Sigmoid())\n", True, "sigmoid"),
        (LOOP, "layers += [nn.Linear(8, 1), nn.Sigmoid()]\n", True, "sigmoid"),
        (LOOP, "layers.extend([nn.Linear(8, 1), nn.Sigmoid()])\n", True, "sigmoid"),
        (LOOP.replace("layers.append(nn.Linear(8, 8))", "layers += [nn.Linear(8, 8)]"), "layers.append(nn.Sigmoid())\n", True, "sigmoid"),
        (LOOP, "layers.append(nn.Sigmoid())\n" + LOOP, True, None),  # another loop comes behind it
        (LOOP, "if final:\n    layers.append(nn.Sigmoid())\n", True, None),  # maybe
        (LOOP, "layers.insert(0, nn.Sigmoid())\n", False, None),
        ("for _ in range(depth):\n    layers.append(block())\n", "layers.append(nn.Sigmoid())\n", False, None),  # a layer of no known kind
        (LOOP, "layers.extend(block())\nlayers.append(nn.Sigmoid())\n", False, None),
    ],
)
def test_grown(tmp_path: Path, loop: str, after: str, complete: bool, activation: str | None) -> None:
    reader = run(tmp_path, HEAD + loop + after + END)
    [body] = [module for module in reader.recipe.modules if isinstance(module, Module) and module.name == "Sequential"]
    out = reader.entry.namespace["x"]
    assert isinstance(out, Tensor)
    assert (body.complete, out.flow.activation) == (complete, activation)
