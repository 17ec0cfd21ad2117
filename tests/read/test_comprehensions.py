"""Comprehensions are loops: what stands in one happens for each of its items, and a generator that has a name runs where it is consumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.events import Kind, events
from advisor.model.recipe import Loader
from advisor.model.result import Result
from advisor.model.rule import Choice
from advisor.read import read
from tests.read.tiny import run

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt")), batch_size=32)
model = nn.Sequential(nn.Linear(20, 64), nn.Linear(64, 3))
"""


@pytest.mark.parametrize(
    "written",
    [
        "a = [model(x) for x, y in loader]",
        "a = {model(x) for x, y in loader}",
        "a = {1: model(x) for x, y in loader}",
        "a = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)",
        "a = list(model(x) for x, y in loader if len(x) > 1)",
        "a = (model(x) for x, y in loader)\nb = list(a)",
        "def outputs():\n    yield from (model(x) for x, y in loader)\na = list(outputs())",
    ],
)
def test_a_comprehension_over_a_loader_is_a_loop_over_it(tmp_path: Path, written: str) -> None:
    reader = run(tmp_path, HEAD + written)
    ((event, context),) = events(reader.recipe.tree, Kind.FORWARD)
    assert [type(loop.over) for loop in context.loops] == [Loader]
    assert event.subject.kind == "torch.nn.Sequential"


def test_known_items_are_read_one_by_one(tmp_path: Path) -> None:
    reader = run(tmp_path, HEAD + "a = [model(torch.ones(2, 20) * scale) for scale in (1, 2, 3)]")
    assert [context.loops for _, context in events(reader.recipe.tree, Kind.FORWARD)] == [(), (), ()]


def test_a_model_that_is_run_a_number_of_times_is_run_in_a_loop(tmp_path: Path) -> None:
    reader = run(tmp_path, HEAD + "a = torch.stack([model(torch.ones(2, 20)) for _ in range(4)])")
    assert {loop.what for _, context in events(reader.recipe.tree, Kind.FORWARD) for loop in context.loops} == {"range"}


def test_a_named_generator_runs_where_it_is_consumed(tmp_path: Path) -> None:
    reader = run(tmp_path, HEAD + "a = (model(x) for x, y in loader)\nmodel.eval()\nwith torch.no_grad():\n    b = list(a)\n")
    kinds = [(event.kind, event.data.get("grad_mode")) for event, _ in events(reader.recipe.tree, Kind.EVAL_MODE, Kind.FORWARD)]
    assert kinds == [(Kind.EVAL_MODE, None), (Kind.FORWARD, "off")]


def test_a_named_generator_that_nobody_consumes_does_nothing(tmp_path: Path) -> None:
    reader = run(tmp_path, HEAD + "a = (model(x) for x, y in loader)")
    assert not list(events(reader.recipe.tree, Kind.FORWARD))


def judged(files: list[str]) -> Result:
    rules = cards.load()
    return lint(read(files), lambda file: Choice(rules), rules)


METHOD = """
import torch
from torch.utils.data import DataLoader, TensorDataset
from tasks import Task

torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.load("x.pt")), batch_size=32, shuffle=True)
test_loader = DataLoader(TensorDataset(torch.load("x_test.pt")), batch_size=32)
model = Task(20)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(10):
    for (x,) in loader:
        model.train()
        optimizer.zero_grad()
        TRAIN
        optimizer.step()
for (x,) in test_loader:
    print(model.test_step(x))
"""


def test_what_a_method_of_an_unread_model_does_is_listed_as_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(METHOD.replace("TRAIN", "model.loss(x).backward()"))
    result = judged(["train.py"])
    assert not result.findings
    assert [(skip.why, skip.line) for skip in result.skipped if "evaluation-in-train-mode" in skip.rules] == [
        ("not every layer of the model is known: it may have neither dropout nor batch norm", 18)
    ]


def test_a_method_of_an_unread_model_may_call_backward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(METHOD.replace("TRAIN", "model.train_step(x)"))
    result = judged(["train.py"])
    assert not result.findings
