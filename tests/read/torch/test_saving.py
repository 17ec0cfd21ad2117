"""Checkpoints: what is written, what is kept in memory, what is loaded back."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind
from advisor.model.source import ABSENT, value_of
from advisor.read.python.assembly import complete
from tests.read.torch.reading import found, run

NET = """
net = nn.Linear(2, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
"""


def test_what_is_saved(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NET}
torch.save(net.state_dict(), "a.pt")
torch.save(net, "b.pt")
torch.save({{"model": net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "epoch": 3}}, f="c.pt")
state = dict(model=net.state_dict())
state["best"] = 0.5
torch.save(state, path())
""",
    )
    first, second, third, fourth = reader.recipe.saves.items
    assert (first.parts, second.parts) == ({"": "model-state"}, {"": "model"})
    assert third.parts == {"model": "model-state", "optimizer": "optimizer", "scheduler": "scheduler", "epoch": "number"} and third.complete
    assert fourth.parts == {"model": "model-state", "best": "number"}
    assert [value_of(save.path) for save in (first, second, third, fourth)] == ["a.pt", "b.pt", "c.pt", None]
    assert all(save.module is first.module for save in (second, third, fourth))


def test_what_is_restored(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NET}
net.load_state_dict(torch.load("a.pt"), strict=False)
checkpoint = torch.load("c.pt", map_location="cpu")
net.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
epoch = checkpoint["epoch"]
""",
    )
    plain, model, optimizer = reader.recipe.restores.items[:3]
    assert (plain.parts, value_of(plain.strict), value_of(plain.path)) == ({"": "model-state"}, False, "a.pt")
    assert model.parts == {"model": "model-state"} and optimizer.parts == {"optimizer": "optimizer"}
    assert set(model.keys) == {"model", "optimizer", "epoch"}
    assert model.module is plain.module and value_of(model.strict) is True


def test_best_weights_in_memory(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NET}
for epoch in range(3):
    alias = net.state_dict()
    shallow = net.state_dict().copy()
    deep = copy.deepcopy(net.state_dict())
    clones = {{k: v.clone() for k, v in net.state_dict().items()}}
net.load_state_dict(alias)
""",
    )
    assert [save.memory for save in reader.recipe.saves] == ["alias", "alias", "copy", "copy"]
    assert found(reader, Kind.RESTORE)[0].subject.saved is reader.recipe.saves.items[0]


@pytest.mark.parametrize(
    ("load", "pretrained"),
    [
        ("net.load_state_dict(torch.load('imagenet.pt'))", "imagenet.pt"),
        ("net.load_state_dict(torch.load('out.pt'))", None),
        ("if os.path.exists('a.pt'):\n    net.load_state_dict(torch.load('a.pt'))", None),
        ("net.load_state_dict(nn.Linear(2, 2).state_dict())", ABSENT),
        ("pass", ABSENT),
    ],
)
def test_weights_that_are_loaded_before_training(tmp_path: Path, load: str, pretrained: object) -> None:
    text = f"""{NET}
{load}
net(torch.zeros(1, 2)).sum().backward()
optimizer.step()
torch.save(net.state_dict(), "out.pt")
net.load_state_dict(torch.load("best.pt"))
"""
    reader = run(tmp_path, "import os\n" + text)
    complete(reader)
    net = reader.recipe.optimizers.items[0].modules[0]
    if pretrained is ABSENT:
        assert net.pretrained is ABSENT
    else:
        assert value_of(net.pretrained) == pretrained and net.pretrained is not ABSENT
