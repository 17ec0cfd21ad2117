"""Modes, backward, clipping, mixed precision, seeds, distribution."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind, Region, events, walk
from advisor.model.source import Known, is_unknown, value_of
from tests.read.torch.reading import found, run

TRAIN = """
net = nn.Linear(2, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loss = F.mse_loss(net(torch.randn(2, 2)), torch.zeros(2, 2))
"""


def test_backward(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{TRAIN}loss.backward(retain_graph=True)\ntorch.autograd.backward([loss, loss * 2])\n(loss / 2).mean().backward()")
    first, second, third = found(reader, Kind.BACKWARD)
    assert value_of(first.data["retain_graph"]) is True and value_of(first.data["create_graph"]) is False
    assert all([loss.name for loss in event.data["flow"].losses] == ["mse_loss"] for event in (first, second, third))


def test_autograd_grad(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{TRAIN}grads = torch.autograd.grad(loss, net.parameters(), create_graph=True)")
    assert len(found(reader, Kind.AUTOGRAD_GRAD)) == 1


def test_scaler(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{TRAIN}
scaler = torch.cuda.amp.GradScaler(enabled=True)
scaled = scaler.scale(loss)
scaled.backward()
loss.backward()
scaler.scale(loss / 2).mean().backward()
scaler.unscale_(optimizer)
nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
scaler.step(optimizer)
scaler.update()
""",
    )
    scaler = reader.recipe.scalers.items[0]
    assert [event.data["scaler"] for event in found(reader, Kind.BACKWARD)] == [scaler, None, scaler]
    (unscale,), (step,), (update,) = found(reader, Kind.UNSCALE), found(reader, Kind.OPTIMIZER_STEP), found(reader, Kind.SCALER_UPDATE)
    optimizer = reader.recipe.optimizers.items[0]
    assert unscale.data["optimizer"] is optimizer and step.subject is optimizer and step.data["scaler"] is scaler and update.subject is scaler
    assert value_of(reader.recipe.clipping.items[0].value) == 1.0


@pytest.mark.parametrize(
    ("call", "device", "dtype"),
    [
        ("torch.cuda.amp.autocast()", "cuda", "torch.float16"),
        ("torch.autocast('cuda')", "cuda", "torch.float16"),
        ("torch.autocast('cuda', dtype=torch.bfloat16)", "cuda", "torch.bfloat16"),
        ("torch.amp.autocast(device_type='cpu')", "cpu", "torch.bfloat16"),
        ("torch.autocast(device_type='cuda:0', enabled=False)", "cuda:0", "torch.float16"),
        ("torch.autocast(device)", None, None),
    ],
)
def test_autocast(tmp_path: Path, call: str, device: str | None, dtype: str | None) -> None:
    reader = run(tmp_path, f"{TRAIN}device = load()\nwith {call}:\n    net(torch.zeros(1, 2))")
    autocast = reader.recipe.autocasts.items[0]
    assert (value_of(autocast.device), value_of(autocast.dtype)) == (device, dtype)
    regions = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Region)]
    assert [region.what for region in regions] == ["autocast"] and regions[0].data["autocast"] is autocast


def test_decorated_by_autocast(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{TRAIN}\n@torch.autocast('cuda')\ndef step():\n    return net(torch.zeros(1, 2))\nstep()\ntorch.no_grad()(step)()")
    assert {node.what for node, _ in walk(reader.recipe.tree) if isinstance(node, Region)} == {"autocast", "no_grad"}


def test_weights_by_hand(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{TRAIN}
for p in net.parameters():
    p.grad = None
for p in net.parameters():
    p.grad.zero_()
for p in net.parameters():
    p.grad.clamp_(-0.1, 0.1)
with torch.no_grad():
    for p in net.parameters():
        p -= 0.1 * p.grad
for p in net.parameters():
    p.data.add_(p.grad, alpha=-0.1)
    p.grad = p.grad * 2
net.zero_grad()
""",
    )
    assert len(found(reader, Kind.ZERO_GRAD)) == 3
    assert [event.data["what"] for event in found(reader, Kind.GRAD_WRITE)] == ["in-place", "in-place", "grad"]
    clip = reader.recipe.clipping.items[0]
    assert clip.kind == "hand-written" and value_of(clip.value) == 0.1


def test_seeds_and_backends(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        import sys
        torch.manual_seed(7)
        torch.cuda.manual_seed_all(7)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)
        generator = torch.Generator().manual_seed(3)
        parts = random_split(TensorDataset(torch.zeros(10, 2)), [8, 2], generator=generator)
        other = random_split(TensorDataset(torch.zeros(10, 2)), [0.8, 0.2])
        """,
    )
    assert [(seed.generators, value_of(seed.value)) for seed in reader.recipe.seeds] == [("torch", 7), ("cuda", 7)]
    assert [value_of(reader.recipe.backend[name]) for name in ("cudnn.benchmark", "cudnn.deterministic", "deterministic_algorithms")] == [True] * 3
    first, second = reader.recipe.splits.items
    assert value_of(first.seed) == 3 and value_of(second.seed) is None and not is_unknown(second.seed)


def test_distribution(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        import torch.distributed as dist
        import torch.multiprocessing as mp
        from torch.nn.parallel import DistributedDataParallel as DDP
        def worker(rank, size):
            dist.init_process_group("nccl", rank=rank, world_size=size)
            net = DDP(nn.Linear(2, 2).to(rank), device_ids=[rank])
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            sampler = torch.utils.data.distributed.DistributedSampler(TensorDataset(torch.zeros(8, 2)))
            for epoch in range(3):
                sampler.set_epoch(epoch)
                dist.barrier()
            with net.no_sync():
                net(torch.zeros(1, 2)).sum().backward()
            torch.save(net.module.state_dict(), "x.pt")
        mp.spawn(worker, args=(2,), nprocs=2)
        """,
    )
    recipe = reader.recipe
    assert {"process_group", "ddp", "sampler"} <= set(recipe.distributed)
    assert recipe.distributed["ddp"] == Known(True, place=recipe.distributed["ddp"].place)  # type: ignore[union-attr]
    (net,) = [module for module in recipe.modules if module.name == "Linear"]
    assert net.wrapped == ("DDP",) and recipe.optimizers.items[0].modules == (net,)
    assert found(reader, Kind.SET_EPOCH)[0].subject is recipe.samplers.items[0]
    assert recipe.saves.items[0].module is net
    assert not found(reader, Kind.ESCAPE)


def test_what_a_branch_leaves_of_the_gradient_mode(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        import random
        net = nn.Linear(2, 2)
        def go(train):
            if train:
                torch.set_grad_enabled(True)
            else:
                torch.set_grad_enabled(False)
            return net(torch.zeros(1, 2))
        go(True)
        go(False)
        go(random.random() > 0.5)
        torch.set_grad_enabled(True)
        if random.random() > 0.5:
            torch.set_grad_enabled(False)
            raise ValueError
        net(torch.zeros(1, 2))
        """,
    )
    assert [event.data["grad_mode"] for event in found(reader, Kind.FORWARD)] == ["on", "off", "unknown", "on"]


def test_a_fixed_factor_scales_and_a_computed_one_clips(tmp_path: Path) -> None:
    text = "for p in net.parameters():\n    p.grad.data.mul_(1 / 8)\nfor p in net.parameters():\n    p.grad.mul_(1 / loss.norm())\n"
    reader = run(tmp_path, f"{TRAIN}loss.backward()\n{text}")
    assert [event.data["what"] for event in found(reader, Kind.GRAD_WRITE)] == ["grad"]
    assert [event.subject.kind for event in found(reader, Kind.CLIP)] == ["hand-written"]


def test_gradients_of_what_could_not_be_read(tmp_path: Path) -> None:
    """In place they are scaled by a number, clipped by a norm, or, where the factor is not known, either."""
    reader = run(
        tmp_path,
        """
        import torch
        import elsewhere
        for p in elsewhere.learner.parameters():
            p.grad.data.mul_(0.5)
            p.grad.mul_(1 / torch.randn(3).norm())
            p.grad.div_(elsewhere.count)
        """,
    )
    told = [(event.kind, event.place.line) for event, _ in events(reader.recipe.tree, Kind.GRAD_WRITE, Kind.CLIP)]
    assert told == [(Kind.GRAD_WRITE, 10), (Kind.CLIP, 11), (Kind.CLIP, 12), (Kind.GRAD_WRITE, 12)]


def test_what_a_function_gives_with_gradients_is_not_what_it_gave_without(tmp_path: Path) -> None:
    """A function that is entered often is not read again, but never is a result without a graph taken for one with."""
    reader = run(
        tmp_path,
        """
        def loss_of(x):
            return nn.functional.mse_loss(net(x), x)
        with torch.no_grad():
            for x in data:
                """
        + "; ".join(["loss_of(x)"] * 60)
        + """
        for x in data:
            loss_of(x).backward()
        """,
    )
    assert [event.data["flow"].graph for event in found(reader, Kind.BACKWARD)] == ["kept"]
