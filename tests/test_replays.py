"""Programs that call the same function so often that it is not read again: the tree repeats what it did, or leaves it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read
from advisor.read.python import functions

PROGRAM = """\
import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x)


class Stepper:
    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


torch.manual_seed(0)
data = torch.randn(100, 32, 20)
critic = Critic()
stepper = Stepper(torch.optim.Adam(critic.parameters(), lr=1e-3))
for epoch in range(10):
    for x in data:
        loss = nn.functional.mse_loss(critic(x), x.mean(dim=1, keepdim=True))
        TRAIN
    critic.eval()
    with torch.no_grad():
        print(nn.functional.mse_loss(critic(data[0]), data[0].mean(dim=1, keepdim=True)))
    critic.train()
MORE
"""
AGAIN = """\
for round in range(10):
    value = critic(data[round])
    loss = nn.functional.mse_loss(value, data[round].mean(dim=1, keepdim=True))
    stepper.step(loss)
"""


def found(text: str) -> list[tuple[str, int]]:
    """What all rules say of a program."""
    Path("train.py").write_text(text)
    rules = cards.load()
    return [(finding.rule, finding.place.line) for finding in lint(read(["train.py"]), lambda file: Choice(rules), rules).findings]


def test_a_call_that_is_left_out_may_have_stepped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = PROGRAM.replace("TRAIN", "stepper.step(loss)")
    many = AGAIN * 40  # more calls than are followed one by one
    assert not found(program.replace("MORE", many))
    monkeypatch.setattr(functions, "MOST_EVENTS", 10)
    assert not found(program.replace("MORE", many))
    measured = AGAIN.replace("stepper.step(loss)", "print(loss.item())")
    assert found(program.replace("MORE", measured)) == [("evaluation-with-gradients", 37)]


STATES = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self):
        self.model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.best = 0.0

    def state(self):
        held = {}
        for name, part in self.__dict__.items():
            if hasattr(part, "state_dict"):
                held[name] = part.state_dict()
        return held

    def save(self, path):
        torch.save(self.state(), path)

    def fit(self, loader, val_loader):
        for epoch in range(10):
            self.model.train()
            for x, y in loader:
                self.optimizer.zero_grad()
                nn.functional.cross_entropy(self.model(x), y).backward()
                self.optimizer.step()
            self.model.eval()
            right = 0
            with torch.no_grad():
                for x, y in val_loader:
                    right += (self.model(x).argmax(1) == y).sum().item()
            if right > self.best:
                self.best = right
                self.save("best.pt")
            self.save("last.pt")


torch.manual_seed(0)
data, unseen = (TensorDataset(torch.randn(n, 20), torch.randint(0, 3, (n,))) for n in (512, 128))
Trainer().fit(DataLoader(data, batch_size=32, shuffle=True), DataLoader(unseen, batch_size=32))
"""


def test_what_a_repeated_call_keeps_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("_EVALUATIONS", "_EVALUATIONS_EARLY", "_EVALUATIONS_OF_SMALL"):
        monkeypatch.setattr(functions, name, 1)
    assert not found(STATES)
    kept = STATES.replace('self.save("best.pt")', "self.kept = self.state()").replace('self.save("last.pt")', 'torch.save(self.kept, "best.pt")')
    assert found(kept) == [("best-weights-aliased", 36)]


SPLITS = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def loader_of(split):
    n = {"train": 512, "val": 128}[split]
    return DataLoader(TensorDataset(torch.randn(n, 20), torch.randint(0, 3, (n,))), batch_size=32, shuffle=split == "train")


def evaluate(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += nn.functional.cross_entropy(model(x), y).item()
    return total / len(loader)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
train_loader, val_loader = loader_of("train"), loader_of("val")
best, bad = float("inf"), 0
for epoch in range(100):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    loss = evaluate(model, val_loader)
    if loss < best:
        best, bad = loss, 0
        torch.save(model.state_dict(), "best.pt")
    else:
        bad += 1
    if bad == 10:
        break
"""


def test_the_loader_of_one_split_is_not_that_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("_EARLY", 0), ("_EVALUATIONS", 1), ("_EVALUATIONS_OF_SMALL", 1)):
        monkeypatch.setattr(functions, name, value)
    Path("train.py").write_text(SPLITS)
    (recipe,) = read(["train.py"]).recipes
    assert [loader.role for loader in recipe.loaders] == ["train", "validation"]
    assert [stop.on for stop in recipe.early_stopping] == ["validation"]


SCHEDULES = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build(rate):
    model = nn.Linear(20, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    return model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 30)


torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
BUILD
for epoch in range(90):
    for x, y in loader:
        TRAIN
    STEP
"""


def test_schedules_of_calls_that_are_not_followed_are_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("_EVALUATIONS", "_EVALUATIONS_EARLY", "_EVALUATIONS_OF_SMALL"):
        monkeypatch.setattr(functions, name, 2)
    numbers = range(6)
    train = "o{0}.zero_grad(); nn.functional.cross_entropy(m{0}(x), y).backward(); o{0}.step()"
    program = SCHEDULES.replace("BUILD", "\n".join(f"m{i}, o{i}, s{i} = build(0.{i + 1})" for i in numbers))
    program = program.replace("TRAIN", "\n        ".join(train.format(i) for i in numbers))
    once = program.replace("STEP", "\n    ".join(f"s{i}.step()" for i in numbers))
    assert not [rule for rule, _ in found(once) if rule == "scheduler-wrong-cadence"]
    twice = program.replace("STEP", "s0.step()\n    s0.step()")
    assert [rule for rule, _ in found(twice) if rule == "scheduler-wrong-cadence"] == ["scheduler-wrong-cadence"]


CHANGING = """\
class K{i}:
    def __init__(self, a{i}):
        self.a{i} = a{i}


K{i} = told(K{i})
K{i}(a{i}={i})
"""


@pytest.mark.parametrize(("given", "known"), [("cls", True), ("type(cls.__name__, (cls,), {})", False)])
def test_the_class_that_is_handed_in_comes_back_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, known: bool) -> None:
    """A decorator of many classes, called too often for each call to be read, gives each of them and not the last one that was read."""
    monkeypatch.chdir(tmp_path)
    lines = "\n".join(f"    cls.x{i} = names[{i}] if names else {i}" for i in range(20))
    classes = "\n\n".join(CHANGING.format(i=i) for i in range(40))
    text = f"import torch\n\n\ndef told(cls, names=()):\n{lines}\n    return {given}\n\n\n{classes}K39(1, 2)\n"
    assert found(text) == ([("arguments-do-not-fit", len(text.splitlines()))] if known else [])


KINDS = """\
import abc
import torch


class Base(abc.ABC):
    @abc.abstractmethod
    def step(self, x):
        pass

    def run(self, x):
        return self.step(x, 2)


class Plain:
    def step(self, x):
        return x


def ask(kind):
    return kind.step(None, 1) if isinstance(kind, type) else kind.step(1)


ask(Plain), ask(Plain())


def trim(function):
    if function in {sum, len}:
        return function(1)
    return function(1, 2)


def both(a, b):
    return a


trim(both)
both(1)
"""


def test_kinds_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(KINDS) == [("arguments-do-not-fit", KINDS.splitlines().index("both(1)") + 1)]
