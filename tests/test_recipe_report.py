"""The recipe as JSON: the form that others rely on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from advisor.model.events import Event, Kind
from advisor.model.finding import Skipped
from advisor.model.recipe import (
    Clip,
    EarlyStopping,
    Flow,
    Group,
    Listing,
    Loader,
    Loss,
    Module,
    Optimizer,
    Parameters,
    Recipe,
    Sampler,
    Scheduler,
    Seed,
    Split,
)
from advisor.model.source import ABSENT, Known, Link, OneOf, Option, Place, Setting, Unknown
from advisor.read import read
from advisor.report import recipe, recipe_text, text


def place(line: int, file: str = "train.py") -> Place:
    return Place(file, line)


def sample() -> Recipe:
    head = Module(
        place(2),
        kind="model.head",
        user_class=True,
        children={
            "a": Module(place(3), kind="torch.nn.LSTM"),
            "b": Module(place(4), kind="torch.nn.Dropout", settings={"p": Known(0.5)}),
            "c": Module(place(5), kind="torch.nn.BatchNorm1d"),
        },
    )
    lr = Known(0.001, (Link("train.py", 9, "--lr default"),), weak=True)
    optimizer = Optimizer(
        place(30),
        kind="torch.optim.AdamW",
        settings={"lr": lr, "weight_decay": Known(0.01, default="torch 2.13"), "betas": Unknown("read from **cfg"), "foreach": ABSENT},
        groups=[Group(Parameters((head,)), {"lr": Known(1e-4)})],
    )
    loss = Loss(place(33), kind="torch.nn.CrossEntropyLoss")
    return Recipe(
        "train.py",
        files=["train.py", "engine.py"],
        tree=[Event(Kind.LOSS, place(40), loss, {"input": Flow(activation="softmax")})],
        models=Listing([head]),
        optimizers=Listing([optimizer]),
        schedulers=Listing(
            [Scheduler(place(34), kind="torch.optim.lr_scheduler.StepLR", settings={"step_size": Known(30)}, optimizer=optimizer, stepped="epoch")]
        ),
        losses=Listing([loss]),
        clipping=Listing([Clip(place(12, "engine.py"), value=Known(math.inf), when="args.clip")], complete=False, why="`fit` could not be resolved"),
        seeds=Listing(
            [
                Seed(
                    place(5, "utils.py"),
                    generators="torch",
                    value=OneOf((Option(Known(0), "not args.seed"), Option(Unknown("args.seed"), "args.seed"))),
                    conditional="flag",
                )
            ]
        ),
        loaders=Listing(
            [
                Loader(place(8, "data.py"), settings={"batch_size": Known(32), "sampler": ABSENT}, role="train"),
                Loader(place(9, "data.py"), samplers=(Sampler(place(9), kind="x.WeightedRandomSampler"),), role="validation"),
            ]
        ),
        early_stopping=Listing([EarlyStopping(place(50), patience=Known(5), monitor=Known("val_loss"), mode=Known("min"))]),
        epochs=Known(90),
        evaluation={"eval_mode": Known(True)},
        not_read=[Skipped("a plugin", "train.py", 3)],
    )


def test_the_document() -> None:
    told = json.loads(recipe.render([sample()]))
    assert told["version"] == 1
    [program] = told["programs"]
    assert list(program) == [
        "entry", "framework", "files", "optimizers", "schedulers", "clipping", "seeds", "loaders", "losses", "models", "evaluation", "precision",
        "accumulation", "early_stopping", "epochs", "steps", "distributed", "checkpoints", "splits", "transforms", "search",
        "hyperparameters", "not_read",
    ]  # fmt: skip
    assert program["optimizers"] == {
        "complete": True,
        "items": [
            {
                "kind": {"value": "AdamW", "from": []},
                "lr": {"value": 0.001, "from": [{"file": "train.py", "line": 9, "text": "--lr default"}]},
                "weight_decay": {"value": 0.01, "from": [], "default": "torch 2.13"},
                "betas": {"unknown": "read from **cfg"},
                "foreach": None,
                "groups": [{"parameters": "head", "lr": {"value": 0.0001, "from": []}}],
                "file": "train.py",
                "line": 30,
            }
        ],
    }
    [scheduler] = program["schedulers"]["items"]
    assert (scheduler["kind"]["value"], scheduler["stepped"], scheduler["optimizer"], scheduler["step_size"]["value"]) == ("StepLR", "epoch", 0, 30)
    assert program["clipping"]["complete"] is False and program["clipping"]["why"] == "`fit` could not be resolved"
    assert program["clipping"]["items"][0]["value"]["value"] == "inf"
    assert program["clipping"]["items"][0]["when"] == "args.clip"
    [seed] = program["seeds"]["items"]
    assert (seed["library"], seed["when"]) == ("torch", "flag")
    assert seed["value"] == {"any_of": [{"value": 0, "from": [], "when": "not args.seed"}, {"unknown": "args.seed", "when": "args.seed"}]}
    first, second = program["loaders"]["items"]
    assert first["sampler"] is None and first["batch_size"]["value"] == 32 and first["role"] == "train"
    assert second["sampler"]["kind"]["value"] == "WeightedRandomSampler"
    assert program["losses"]["items"][0]["input"] == "softmax"
    [model] = program["models"]["items"]
    assert (model["families"], model["norms"], model["dropout"], model["pretrained"]) == (["rnn"], ["BatchNorm1d"], [0.5], None)
    assert program["early_stopping"]["patience"] == {"value": 5, "from": []} and program["early_stopping"]["line"] == 50
    assert program["evaluation"] == {"eval_mode": {"value": True, "from": []}, "no_grad": None, "train_restored": None}
    assert program["epochs"] == {"value": 90, "from": []}
    assert program["not_read"] == [{"file": "train.py", "line": 3, "why": "a plugin"}]


def test_nothing_at_all() -> None:
    [program] = json.loads(recipe.render([Recipe("empty.py")]))["programs"]
    assert program["early_stopping"] is None and program["accumulation"] is None
    assert program["optimizers"] == {"complete": True, "items": []}
    assert "unknown" in program["epochs"]


def test_text_for_people() -> None:
    shown = text.plain(recipe_text.lines([sample()]))
    assert "train.py  plain, reads engine.py" in shown
    assert "AdamW  train.py:30" in shown
    assert "0.001  <- --lr default (train.py:9)" in shown
    assert "0.01  default of torch 2.13" in shown
    assert "not known (read from **cfg)" in shown
    assert "there may be more: `fit` could not be resolved" in shown
    assert "train.py:3: a plugin" in shown


def test_text_of_a_split_that_is_given_no_groups() -> None:
    shown = text.plain(recipe_text.lines([Recipe("train.py", splits=Listing([Split(place(7), kind="torch.utils.data.random_split", parts=2)]))]))
    assert "random_split  train.py:7" in shown and "group" not in shown


@pytest.mark.parametrize(
    ("own", "given", "told"),
    [
        (Known(0, default="torch 2.13"), ({"weight_decay": Known(0.1)}, {"weight_decay": Known(0.0)}), [0.1, 0.0]),
        (Known(0, default="torch 2.13"), ({"weight_decay": Known(0.1)}, {}), [0.1, 0]),
        (Known(0, default="torch 2.13"), ({"weight_decay": Known(0.1)}, {"weight_decay": Known(0.1)}), 0.1),
        (Known(0, default="torch 2.13"), ({}, {"lr": Known(0.1)}), 0),
        (Known(0.05), ({"weight_decay": Known(0.1)}, {"weight_decay": Known(0.0)}), 0.05),  # the program's own word stands
    ],
)
def test_what_the_groups_bring_where_the_program_leaves_a_setting_to_the_library(
    own: Known, given: tuple[dict[str, Setting], ...], told: object
) -> None:
    optimizer = Optimizer(place(3), kind="torch.optim.SGD", settings={"weight_decay": own}, groups=[Group(Parameters(), held) for held in given])
    document = json.loads(recipe.render([Recipe("train.py", optimizers=Listing([optimizer]))]))
    found = document["programs"][0]["optimizers"]["items"][0]["weight_decay"]
    assert ([option["value"] for option in found["any_of"]] if "any_of" in found else found["value"]) == told


@pytest.mark.parametrize(
    ("schedule", "told"), [("others.WarmupThenHold(optimizer, 5)", "not known: the optimizer was handed to `others"), ("None", "none")]
)
def test_a_schedule_of_a_library_that_is_not_known(schedule: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(f"""\
import others
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
schedule = {schedule}
for x, y in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
""")
    lines = ["".join(part for part, _ in line) for line in recipe_text.lines(read(["train.py"]).recipes)]
    assert any(line.startswith(f"  scheduler   {told}") for line in lines)


def test_what_a_flag_was_chosen_with_is_stepped_where_the_flag_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("""\
import argparse
import torch
from torch import nn
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--schedule", default="plateau")
args = parser.parse_args()
loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
if args.schedule == "one cycle":
    schedule = OneCycleLR(optimizer, 0.1, epochs=20, steps_per_epoch=len(loader))
    each_batch = True
elif args.schedule == "cyclic":
    schedule = CyclicLR(optimizer, 0.01, 0.1)
    each_batch = True
else:
    schedule = ReduceLROnPlateau(optimizer)
    each_batch = False
for epoch in range(20):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
        if each_batch:
            schedule.step()
    if not each_batch:
        schedule.step(total)
""")
    found = recipe.program(read(["train.py"]).recipes[0])["schedulers"]["items"]
    assert {item["kind"]["value"]: item["stepped"] for item in found} == {
        "ReduceLROnPlateau": "epoch", "CyclicLR": "batch", "OneCycleLR": "batch"
    }  # fmt: skip
