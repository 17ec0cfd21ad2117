"""Optimizers and schedulers: settings, whose weights they hold, what their methods do."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind
from advisor.model.source import Known, Unknown, value_of
from advisor.read.python.assembly import complete
from tests.read.torch.reading import found, run

NETS = "one, two = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU())\n"


@pytest.mark.parametrize(
    ("given", "lines", "exact"),
    [
        ("one.parameters()", 1, True),
        ("list(one.parameters())", 1, True),
        ("[*one.parameters()]", 1, None),
        ("[p for p in one.parameters()]", 1, True),
        ("list(one.parameters()) + list(two.parameters())", 2, True),
        ("[one.weight, one.bias]", 1, False),
        ("itertools.chain(one.parameters(), two.parameters())", 2, True),
        ("filter(lambda p: p.requires_grad, one.parameters())", 1, False),
        ("[p for n, p in one.named_parameters() if 'bias' in n]", 1, False),
        ("one.named_parameters()", 1, True),
        ("nn.ModuleList([one, two]).parameters()", 1, True),
        ("[{'params': one.parameters()}, {'params': two.parameters(), 'lr': 0.1}]", 2, True),
        ("[torch.zeros(3, requires_grad=True)]", 0, False),
        ("two[0].parameters()", 1, True),
    ],
)
def test_whose_weights(tmp_path: Path, given: str, lines: int, exact: bool | None) -> None:
    reader = run(tmp_path, f"import itertools\n{NETS}optimizer = torch.optim.SGD({given}, lr=1)")
    optimizer = reader.recipe.optimizers.items[0]
    assert len(optimizer.modules) == lines
    if exact is not None:
        assert all(group.parameters.exact for group in optimizer.groups) is exact


def test_leaves_are_inputs(tmp_path: Path) -> None:
    reader = run(tmp_path, "image = torch.zeros(3, requires_grad=True)\noptimizer = torch.optim.Adam([image])")
    assert reader.recipe.optimizers.items[0].groups[0].parameters.inputs


def test_settings_have_the_defaults_of_torch(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{NETS}torch.optim.AdamW(one.parameters(), 3e-4, weight_decay=0.1)\ntorch.optim.SGD(one.parameters(), **unknown)")
    adam, sgd = reader.recipe.optimizers.items
    assert (value_of(adam.settings["lr"]), value_of(adam.settings["weight_decay"])) == (3e-4, 0.1)
    assert adam.settings["betas"] == Known((0.9, 0.999), default="torch 2.13")
    assert isinstance(sgd.settings["lr"], Unknown) and isinstance(sgd.settings["momentum"], Unknown)


def test_groups(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
optimizer = torch.optim.Adam([{{"params": one.parameters(), "weight_decay": 0.0}}, {{"params": two.parameters()}}], lr=1e-3)
optimizer.add_param_group({{"params": [torch.zeros(2, requires_grad=True)], "lr": 1e-2}})
for group in optimizer.param_groups:
    group["lr"] = 1e-5
optimizer.param_groups[0]["lr"] *= 0.5
optimizer.param_groups[1].update(lr=0.3, weight_decay=0.1)
""",
    )
    optimizer = reader.recipe.optimizers.items[0]
    assert [value_of(group.settings.get("weight_decay")) for group in optimizer.groups] == [0.0, None, None]
    assert value_of(optimizer.groups[2].settings["lr"]) == 1e-2
    writes = [(event.data["key"], value_of(event.data["value"])) for event in found(reader, Kind.LR_WRITE)]
    assert writes == [("lr", 1e-5)] * 3 + [("lr", None), ("lr", 0.3), ("weight_decay", 0.1)]
    assert len(optimizer.lr_writes) == 5


def test_a_generator_is_used_up_once(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
params = one.parameters()
optimizer = torch.optim.SGD(params, lr=1)
nn.utils.clip_grad_norm_(params, 1.0)
held = list(two.parameters())
torch.optim.SGD(held, lr=1)
nn.utils.clip_grad_norm_(held, 1.0)
nn.utils.clip_grad_value_(one.parameters(), 0.5)
""",
    )
    first, second, third = reader.recipe.clipping.items
    assert first.parameters is not None and second.parameters is not None and third.parameters is not None
    assert first.parameters.consumed_by is not None and first.parameters.consumed_by.line == 9
    assert second.parameters.consumed_by is None and third.parameters.consumed_by is None
    assert (first.kind, third.kind, value_of(third.value)) == ("norm", "value", 0.5)


def test_a_loop_uses_a_generator_up(tmp_path: Path) -> None:
    lines = "params = one.parameters()\nfor p in params:\n    p.requires_grad_(True)\nnn.utils.clip_grad_norm_(params, 1.0)"
    clip = run(tmp_path, NETS + lines).recipe.clipping.items[0]
    assert clip.parameters is not None
    assert clip.parameters.consumed_by is not None


@pytest.mark.parametrize(
    ("lines", "exact"),
    [
        ("held = list(one.parameters())\nheld += list(two.parameters())", True),
        ("held = list(one.parameters())\nheld.extend(two.parameters())", True),
        ("held = []\nheld += one.parameters()\nheld += two.parameters()", True),
        ("held = []\nheld.extend(one.parameters())\nheld.extend(list(two.parameters()))", True),
        ("held = []\nfor net in (one, two):\n    held.extend(net.parameters())", True),
        ("held, more = [], []\nmore.extend(two.parameters())\nheld.extend(one.parameters())\nheld.extend(more)", True),
        ("held = []\nheld.extend(one.parameters())\nheld.extend(two.parameters())\nheld.pop()", False),
        ("held = []\nheld.extend(one.parameters())\nheld.append(other)\nheld.extend(two.parameters())", False),
        ("held = []\nfor net in nets:\n    held.extend(one.parameters())\n    held.extend(two.parameters())", False),
        ("held = [one.weight]\nheld += [*two.parameters()]", False),
    ],
)
def test_lists_of_weights_that_grow(tmp_path: Path, lines: str, exact: bool) -> None:
    reader = run(tmp_path, f"{NETS}{lines}\noptimizer = torch.optim.SGD(held, lr=1)")
    optimizer = reader.recipe.optimizers.items[0]
    assert len(optimizer.modules) == 2
    assert optimizer.groups[0].parameters.exact is exact
    assert not found(reader, Kind.GRAD_WRITE)


def test_methods(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
optimizer = torch.optim.LBFGS(one.parameters())
def closure():
    optimizer.zero_grad()
    loss = one(torch.randn(2, 2)).sum()
    loss.backward()
    return loss
optimizer.step(closure)
optimizer.step()
""",
    )
    kinds = [event.kind for event in found(reader, Kind.ZERO_GRAD) + found(reader, Kind.BACKWARD) + found(reader, Kind.OPTIMIZER_STEP)]
    assert kinds == [Kind.ZERO_GRAD, Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.OPTIMIZER_STEP]
    assert [event.data["closure"] for event in found(reader, Kind.OPTIMIZER_STEP)] == [True, False]


def test_classes_of_the_project(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
class Mine(torch.optim.AdamW):
    pass
class Own(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr, momentum=0.9))
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad, alpha=-group["lr"])
mine = Mine(one.parameters(), lr=3e-4)
own = Own(two.parameters(), lr=0.5)
own.step()
""",
    )
    mine, own = reader.recipe.optimizers.items
    assert [event.subject for event in found(reader, Kind.OPTIMIZER_STEP)] == [own] and not found(reader, Kind.GRAD_WRITE)
    assert mine.user_class and value_of(mine.settings["lr"]) == 3e-4 and value_of(mine.settings["weight_decay"]) == 0.01
    assert value_of(own.settings["lr"]) == 0.5 and len(own.modules) == 1


def test_schedulers(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
from torch.optim import lr_scheduler as lrs
optimizer = torch.optim.SGD(one.parameters(), lr=0.1)
warmup = lrs.LinearLR(optimizer, 0.1, total_iters=5)
cosine = lrs.CosineAnnealingLR(optimizer, T_max=95)
whole = lrs.SequentialLR(optimizer, [warmup, cosine], milestones=[5])
chained = lrs.ChainedScheduler([cosine])
plateau = lrs.ReduceLROnPlateau(optimizer, "max", patience=3)
plateau.step(0.5)
whole.step()
rate = lrs.LambdaLR(optimizer, lambda epoch: 0.95 ** epoch)
whole.get_last_lr()[0]
""",
    )
    warmup, cosine, whole, chained, plateau, rate = reader.recipe.schedulers.items
    optimizer = reader.recipe.optimizers.items[0]
    assert all(scheduler.optimizer is optimizer for scheduler in reader.recipe.schedulers)
    assert whole.children == (warmup, cosine) and chained.children == (cosine,)
    assert value_of(warmup.settings["start_factor"]) == 0.1 and warmup.settings["end_factor"] == Known(1.0, default="torch 2.13")
    assert (value_of(plateau.settings["mode"]), value_of(plateau.settings["patience"])) == ("max", 3)
    steps = found(reader, Kind.SCHEDULER_STEP)
    assert [(event.subject, event.data["arguments"]) for event in steps] == [(plateau, 1), (whole, 0)]
    assert steps[0].data["metric"] is not None and steps[1].data["metric"] is None
    assert optimizer.escaped is None and rate.escaped is None


def test_a_scheduler_of_the_project_that_steps_another(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NETS}
from torch.optim.lr_scheduler import _LRScheduler, StepLR
class Warm(_LRScheduler):
    def __init__(self, optimizer, after):
        self.after = after
        super().__init__(optimizer)
    def step(self, epoch=None):
        self.after.step()
optimizer = torch.optim.SGD(one.parameters(), lr=0.1)
warm = Warm(optimizer, StepLR(optimizer, 3))
warm.step()
""",
    )
    assert {event.subject.name for event in found(reader, Kind.SCHEDULER_STEP)} == {"Warm", "StepLR"}
    assert all(scheduler.optimizer is reader.recipe.optimizers.items[0] for scheduler in reader.recipe.schedulers)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("from lion_pytorch import Lion\nLion(one.parameters())", 1e-4),
        ("from prodigyopt import Prodigy\nProdigy(one.parameters())", 1.0),
        ("import bitsandbytes as bnb\nbnb.optim.AdamW8bit(one.parameters())", 1e-3),
        ("from schedulefree import AdamWScheduleFree\nAdamWScheduleFree(one.parameters())", 2.5e-3),
        ("from dadaptation import DAdaptAdam\nDAdaptAdam(one.parameters())", 1.0),
        ("from torch.distributed.optim import ZeroRedundancyOptimizer as Z\nZ(one.parameters(), optimizer_class=torch.optim.Adam)", 1e-3),
        ("import torch.optim.adamw as module\nmodule.AdamW(one.parameters())", 1e-3),
        ("getattr(torch.optim, 'RMSprop')(one.parameters())", 1e-2),
    ],
)
def test_other_packages(tmp_path: Path, text: str, rate: float) -> None:
    reader = run(tmp_path, f"{NETS}{text}")
    assert value_of(reader.recipe.optimizers.items[0].settings["lr"]) == rate


STEPS = """
one = nn.Linear(2, 2)
optimizer = torch.optim.SGD(one.parameters(), lr=0.1)
def train(profiler, other, opt_g, optimizer):
    for x in load():
        one(x).sum().backward()
        LINES
train(make(), make(), make(), OPTIMIZER)
"""


@pytest.mark.parametrize(
    ("lines", "optimizer", "owners"),
    [
        ("optimizer.step(); profiler.step()", "optimizer", ["optimizer"]),
        ("profiler.step(); optimizer.step()", "optimizer", ["optimizer"]),
        ("optimizer.step(); other.step(); other.zero_grad()", "optimizer", ["optimizer", "other"]),
        ("optimizer.step(); opt_g.step()", "optimizer", ["optimizer", "opt_g"]),
        ("other.step()", "make()", ["other"]),
    ],
)
def test_whose_step_it_is(tmp_path: Path, lines: str, optimizer: str, owners: list[str]) -> None:
    """A step of something unknown is an optimizer's where no known one steps, where its gradients are cleared, or where it is called so."""
    reader = run(tmp_path, STEPS.replace("LINES", lines).replace("OPTIMIZER", optimizer))
    complete(reader)
    steps = found(reader, Kind.OPTIMIZER_STEP)
    assert [event.data.get("text", "optimizer") for event in steps] == owners


def test_a_profiler_steps_no_weights(tmp_path: Path) -> None:
    text = "with torch.profiler.profile() as one:\n    one.step()\ntwo = torch.autograd.profiler.profile()\ntwo.step()"
    assert not found(run(tmp_path, text), Kind.OPTIMIZER_STEP)


@pytest.mark.parametrize(
    "write",
    [
        "for group in optimizer.param_groups:\n    group['lr'] = 0.5",
        "optimizer.param_groups[0]['lr'] = 0.5",
        "for number, group in enumerate(optimizer.param_groups):\n    group['lr'] *= 0.5",
        "for group in [one for one in optimizer.param_groups]:\n    group.update(lr=0.5)",
        "def adjust(held):\n    for group in held.param_groups:\n        group['lr'] = 0.5\nadjust(optimizer)",
    ],
)
@pytest.mark.parametrize("choice", ["conditional", "factory"])
def test_a_rate_is_written_to_every_alternative(tmp_path: Path, choice: str, write: str) -> None:
    sgd, adam = "torch.optim.SGD(one.parameters(), lr=0.1)", "torch.optim.Adam(one.parameters(), lr=0.2)"
    made = f"optimizer = {sgd} if flag() else {adam}"
    if choice == "factory":
        made = f"def build(wanted):\n    if wanted:\n        return {sgd}\n    return {adam}\noptimizer = build(flag())"
    reader = run(tmp_path, f"{NETS}{made}\n{write}")
    assert [(optimizer.name, len(optimizer.lr_writes)) for optimizer in reader.recipe.optimizers] == [("SGD", 1), ("Adam", 1)]


@pytest.mark.parametrize(
    ("made", "steps_it"),
    [
        ("horovod.torch.DistributedOptimizer(base, named_parameters=one.named_parameters())", True),
        ("cherry.optim.Distributed(one.parameters(), opt=base)", True),
        ("elsewhere.optim.CosineScheduler(base)", False),
        ("elsewhere.Trainer(one, base)", False),
    ],
)
def test_an_optimizer_in_an_unread_wrapper(tmp_path: Path, made: str, steps_it: bool) -> None:
    """What an optimizer class makes of an optimizer steps its weights, under settings that may have changed."""
    text = f"{NETS}import cherry, elsewhere, horovod.torch\nbase = torch.optim.SGD(one.parameters(), lr=0.1)\nouter = {made}\nouter.step()"
    reader = run(tmp_path, text)
    (optimizer,) = reader.recipe.optimizers
    assert [event.subject for event in found(reader, Kind.OPTIMIZER_STEP) if event.subject is not None] == ([optimizer] if steps_it else [])
    assert optimizer.escaped is not None


def test_a_class_whose_name_is_not_known(tmp_path: Path) -> None:
    """The weights and settings of getattr(torch.optim, name)(...) are known, its kind is not; other modules have no such stand-in."""
    text = """
    import os
    import torch
    from torch import nn
    net = nn.Linear(4, 1)
    optimizer = getattr(torch.optim, os.environ["OPTIMIZER"])(net.parameters(), lr=0.01)
    schedule = getattr(torch.optim.lr_scheduler, os.environ["SCHEDULE"])(optimizer)
    """
    reader = run(tmp_path, text)
    [optimizer] = reader.recipe.optimizers
    assert (optimizer.name, value_of(optimizer.settings["lr"]), [module.name for module in optimizer.modules]) == ("Optimizer", 0.01, ["Linear"])
    assert "weight_decay" not in optimizer.settings and not reader.recipe.optimizers.complete
    assert not reader.recipe.schedulers.items
