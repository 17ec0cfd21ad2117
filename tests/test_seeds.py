"""Seeds in the order in which they are set, on a tree that is changed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards, engine
from advisor.model import randomness
from advisor.model.events import Call
from advisor.model.recipe import Module
from advisor.model.rule import Choice
from advisor.model.source import Place
from advisor.read import read

PROGRAM = """\
import torch
from torch import nn


def seed():
    torch.manual_seed(0)


seed()
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(100):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(torch.ones(8, 20)), torch.zeros(8, 3)).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("calls", "found"), [((0,), False), ((0, 2), False), ((2,), True)])
def test_a_call_that_is_replayed_sets_no_seed_too_late(calls: tuple[int, ...], found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(PROGRAM)
    reading = read(["train.py"])
    tree = reading.recipes[0].tree
    seed = next(node for node in tree if isinstance(node, Call))
    rest = [node for node in tree if node is not seed]
    for at in calls:  # a call that is not read again holds the events of the first one
        rest.insert(at, seed)
    tree[:] = rest
    rules = cards.load()
    result = engine.lint(reading, lambda file: Choice(rules=rules), set(rules))
    assert any(finding.rule == "seed-too-late" for finding in result.findings) is found


def test_a_model_that_is_a_part_of_itself() -> None:
    whole, part = (Module(Place("net.py", 1), kind=kind, user_class=True) for kind in ("net.Whole", "net.Part"))
    whole.children["part"], part.children["whole"] = part, whole
    assert not randomness._drawn(whole)
    part.children["out"] = Module(Place("net.py", 2), kind="torch.nn.Linear")
    assert randomness._drawn(whole)


SPLIT = """\
import pickle
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

data = TensorDataset(torch.load("x.pt"), torch.load("y.pt"))
train, held_out = random_split(data, [0.8, 0.2])
# held rows
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in DataLoader(train, batch_size=32, shuffle=True):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
print(sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(held_out, batch_size=32)))
"""


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ("", ["unseeded-split"]),
        ("train.indices, held_out.indices = pickle.load(open('rows.pkl', 'rb'))", []),
        ("train.names = ['a']", ["unseeded-split"]),
    ],
)
def test_a_split_whose_parts_get_other_rows(held: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was drawn is not what is used."""
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SPLIT.replace("# held rows", held))
    rules = cards.load()
    result = engine.lint(read(["train.py"]), lambda file: Choice(rules), rules)
    assert [finding.rule for finding in result.findings if finding.rule in ("unseeded-split", "seed-too-late")] == found
    assert [(finding.place.line, finding.case) for finding in result.findings if finding.rule == "missing-seed"]
