"""What a finding takes back where flags and names choose between optimizers."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards, engine
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.recipe import Listing, Optimizer, Recipe
from advisor.model.rule import Choice
from advisor.model.source import Known, Link, Place
from advisor.read import read

HERE = Place("train.py", 1)
OPTION = Known(20.0, (Link("train.py", 3, "--lr default"),), weak=True)
LITERAL = Known(20.0)


def recipe(*optimizers: Optimizer, entry: str = "train.py") -> Recipe:
    return Recipe(entry, optimizers=Listing(list(optimizers)))


def optimizer(kind: str, **more: object) -> Optimizer:
    return Optimizer(HERE, kind=f"torch.optim.{kind}", **more)  # type: ignore[arg-type]


def test_the_only_optimizer() -> None:
    adam = optimizer("Adam")
    assert hedge(recipe(adam), adam, OPTION) == {}


def test_a_value_of_another_path_is_medium() -> None:
    adam = optimizer("Adam")
    assert hedge(recipe(adam), adam, LITERAL, default_path=False) == {"confidence": "medium"}


def test_a_literal_under_a_flag_is_medium() -> None:
    adam = optimizer("Adam", when="args.adam", flag_off=True)
    assert hedge(recipe(adam), adam, LITERAL) == {"confidence": "medium"}


def test_a_shared_default_under_a_flag_is_a_hint_unless_it_fits_nobody() -> None:
    adam = optimizer("Adam", when="args.adam", flag_off=True)
    assert hedge(recipe(adam), adam, OPTION)["severity"] == "hint"
    assert "severity" not in hedge(recipe(adam), adam, OPTION, even_so=True)


def test_who_names_an_optimizer_gives_its_rate_too() -> None:
    adam = optimizer("Adam", when='args.optimizer == "adam"', flag_off=True)
    assert hedge(recipe(adam), adam, OPTION, even_so=True)["severity"] == "hint"


def test_one_rate_for_several_optimizers() -> None:
    sgd = optimizer("SGD")
    adam = optimizer("Adam", same_as=sgd)
    assert hedge(recipe(sgd, adam), sgd, OPTION)["severity"] == "hint"
    adam.flag_off = True
    assert hedge(recipe(sgd, adam), sgd, OPTION) == {}


NETWORK = """\
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--network", default="plain")
args = parser.parse_args()
torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.randn(64, 1, 32, 32), torch.randint(0, 3, (64,))), batch_size=1, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(1024, 3))
if args.network == "normalised":
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(7200, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for x, y in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""


def told(program: str, rule: str) -> list[Finding]:
    """What a rule says of a program, written to the working directory."""
    Path("train.py").write_text(program)
    rules = cards.load()
    result = engine.lint(read(["train.py"]), lambda file: Choice(rules=rules), set(rules), severity="hint")
    return [finding for finding in result.findings if finding.rule == rule]


def test_the_flag_of_what_stands_elsewhere_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(NETWORK, "batchnorm-batch-of-one")
    assert found.place.line == 10
    assert found.message.endswith('(only when args.network == "normalised")')


PRETRAINED = """\
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import resnet18

parser = argparse.ArgumentParser()
parser.add_argument("--network", default="plain")
parser.add_argument("--lr", type=float, default=3e-3)
args = parser.parse_args()
torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt")), batch_size=32, shuffle=True)
if args.network == "plain":
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 1000))
else:
    model = resnet18(weights="DEFAULT")
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for x, y in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("rate", "severity"), [("args.lr", "hint"), ("3e-3", "warning")])
def test_a_default_rate_is_meant_for_the_default_model(rate: str, severity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(PRETRAINED.replace("lr=args.lr", f"lr={rate}"), "finetune-lr-too-high")
    assert (found.severity, found.place.line) == (severity, 17)
    assert found.message.endswith('(only when not (args.network == "plain"))')


@pytest.mark.parametrize("file", ["tests/run.py", "a/test_fit.py", "test/x.py", "bench.py", "benchmarks/main.py", "speed_test.py", "conftest.py"])
def test_files_of_tests(file: str) -> None:
    assert is_test(file)


def test_a_program_that_is_named_is_no_test_by_its_folder() -> None:
    assert not is_test("tests/train.py", Recipe("tests/train.py", named=True))
    assert is_test("tests/train.py", Recipe("tests/train.py"))
    assert is_test("tests/test_fit.py", Recipe("tests/test_fit.py", named=True))
    assert is_test("tests/parts.py", Recipe("tests/train.py", named=True))


def test_a_program_in_a_folder_of_tests_is_judged_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tests").mkdir()
    Path("tests/train.py").write_text(SEEDLESS)
    rules = cards.load()
    for walked, found in (((), 1), (("tests/train.py",), 0)):
        seen = engine.lint(read(["tests/train.py"], walked=walked), lambda _: Choice(rules), rules).findings
        assert [finding.rule for finding in seen].count("missing-seed") == found


SEEDLESS = """
import torch
from torch import nn

model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(100):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(torch.randn(8, 20)), torch.zeros(8, 3)).backward()
    optimizer.step()
torch.save(model.state_dict(), "model.pt")
"""


@pytest.mark.parametrize("file", ["train.py", "contest.py", "src/testing.py", "latest/train.py"])
def test_files_of_runs(file: str) -> None:
    assert not is_test(file)


PLATEAU = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=15)
for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 20)), torch.randint(0, 3, (8,)))
    loss.backward()
    optimizer.step()
    scheduler.step(loss.item())
"""


def test_a_patience_is_told_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(PLATEAU, "scheduler-changes-nothing")
    assert "after patience=15, but its last step is number 5" in found.message


def test_each_of_two_steps_in_an_epoch_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(PLATEAU + "    scheduler.step(loss.item())\n", "scheduler-changes-nothing")
    assert "after patience=15, but its last step is number 10" in found.message
    assert not told((PLATEAU + "    scheduler.step(loss.item())\n").replace("patience=15", "patience=6"), "scheduler-changes-nothing")


NO_DECAY = """
import torch
from torch import nn

def prepare(model, decay=1.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, GAMMA)

torch.manual_seed(0)
model = nn.Linear(20, 3)
optimizer, scheduler = prepare(model)
for epoch in range(5):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.randn(8, 20)), torch.randint(0, 3, (8,))).backward()
    optimizer.step()
    scheduler.step()
"""


@pytest.mark.parametrize(("gamma", "severity"), [("decay", "hint"), ("1.0", "warning")])
def test_a_decay_that_is_offered_and_not_asked_for(gamma: str, severity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(NO_DECAY.replace("GAMMA", gamma), "scheduler-changes-nothing")
    assert found.severity == severity


OPTIONAL = """\
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--kind", default="lstm", choices=["lstm", "transformer"])
args = parser.parse_args()


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        if kind == "lstm":
            self.body = nn.LSTM(64, 64, batch_first=True)
        else:
            layer = nn.TransformerEncoderLayer(d_model=64, nhead=4, batch_first=True)
            self.body = nn.TransformerEncoder(layer, num_layers=6)
        self.head = nn.Linear(64, 2)

    def forward(self, x):
        return self.head((self.body(x)[0] if self.kind == "lstm" else self.body(x))[:, -1])


torch.manual_seed(0)
model = Net(args.kind)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(torch.randn(64, 5, 64), torch.randint(0, 2, (64,))), batch_size=16, shuffle=True)
for epoch in range(30):
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""


def test_the_flag_of_the_layers_that_a_rate_is_judged_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = told(OPTIONAL, "missing-warmup")
    assert found.message.endswith('(only when not (kind == "lstm"))')
    (found,) = told(OPTIONAL.replace('default="lstm"', 'default="transformer"'), "missing-warmup")
    assert "only when" not in found.message


SUMMED = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
model = nn.Linear(20, 3)
optimizer = torch.optim.OPTIMIZER
loader = DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt")), batch_size=32, shuffle=True)
for epoch in range(10):
    for i, (x, y) in enumerate(loader):
        nn.functional.cross_entropy(model(x), y).backward()
        if (i + 1) % 4 == 0:
            CLIP
            optimizer.step()
            optimizer.zero_grad()
"""


@pytest.mark.parametrize(
    ("optimizer", "clip", "severity"),
    [
        ("Adam(model.parameters(), lr=1e-3)", "", "hint"),
        ("Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)", "", "warning"),
        ("Adam(model.parameters(), lr=1e-3)", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)", "warning"),
        ("AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)", "", "hint"),
        ("SGD(model.parameters(), lr=0.1)", "", "warning"),
    ],
)
def test_gradients_of_any_size_are_alike_to_adam(
    optimizer: str, clip: str, severity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [found] = told(SUMMED.replace("OPTIMIZER", optimizer).replace("CLIP", clip or "pass"), "accumulation-not-divided")
    assert (found.severity, found.place.line) == (severity, 11)
