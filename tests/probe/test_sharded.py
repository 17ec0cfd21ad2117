"""Models whose weights are spread over ranks: two gloo processes under torchrun show what one that holds everything shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
from tests.probe.test_processes import launched

PROGRAM = """
import sys
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard

kind = sys.argv[1]
dist.init_process_group("gloo")
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 33), nn.ReLU(), nn.Linear(33, 4))
if kind == "replicated":
    net = nn.parallel.DistributedDataParallel(net)
elif kind == "sharded":
    mesh = init_device_mesh("cpu", (2,))
    for part in (net[0], net[2], net):
        fully_shard(part, mesh=mesh)
else:
    net = FullyShardedDataParallel(net, device_id=torch.device("cpu"), use_orig_params=kind == "flat, as it was")
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
generator = torch.Generator().manual_seed(dist.get_rank())
for turn in range(20):
    x = torch.randn(16, 8, generator=generator)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), x[:, :4].argmax(1))
    loss.backward()
    if kind in ("replicated", "sharded"):
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    else:
        net.clip_grad_norm_(0.5)
    optimizer.step()
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    return norms(tmp_path_factory.mktemp("replicated"), "replicated")


def norms(folder: Path, kind: str) -> dict[str, list[float]]:
    """Gradient norms by whose they are, after a run in which nothing was found and nothing broke."""
    project = folder / "project"
    project.mkdir()
    done, found = launched(project, PROGRAM, ["--steps", "12", "--severity", "hint"], kind)
    assert done.returncode == 0 and found["summary"]["steps"] == 12, done.stderr
    assert [finding["rule"] for finding in found["findings"] if finding["rule"] != "clip-always-active"] == []
    assert not [entry for entry in found["skipped"] if "switched off" in entry["why"]]
    curves: list[dict[str, Any]] = found["signals"]
    return {curve["of"]: curve["value"] for curve in curves if curve["name"] in ("gradient_norm", "norm_before_clipping")}


@pytest.mark.parametrize("kind", ["sharded", "flat", "flat, as it was"])
def test_gradient_norms_are_those_of_the_whole_model(kind: str, replicated: dict[str, list[float]], tmp_path: Path) -> None:
    found = norms(tmp_path, kind)
    assert found["optimizer 0"] == pytest.approx(replicated["optimizer 0"], rel=1e-4)
    if kind == "sharded":
        assert found["0.weight"] == pytest.approx(replicated["module.0.weight"], rel=1e-4)
        clipped = next(of for of in found if of.startswith("train.py:"))
        assert found[clipped] == pytest.approx(replicated[clipped], rel=1e-4) and max(found[clipped]) > 0.5
