"""Ultralytics: what a model trains with, by its arguments over a config over the defaults, and what the library leaves aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.recipe import Recipe
from advisor.model.rule import Choice
from advisor.model.source import Known, Unknown, value_of
from advisor.read import read

START = "from ultralytics import YOLO, RTDETR\nfrom ultralytics.models.yolo.detect import DetectionTrainer\n"


def recipe(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    (tmp_path / "train.py").write_text(START + text)
    monkeypatch.chdir(tmp_path)
    (found,) = read(["train.py"]).recipes
    return found


def found(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, name: str = "train.py") -> list[tuple[str, str, int, str]]:
    (tmp_path / name).write_text(START + text if name.endswith(".py") else text)
    monkeypatch.chdir(tmp_path)
    rules = cards.load()
    result = lint(read([name]), lambda file: Choice(rules), rules, severity="hint")
    return [(f.rule, f.case, f.place.line - (2 if name.endswith(".py") else 0), f.severity) for f in result.findings]


def test_arguments_over_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = recipe(tmp_path, 'YOLO("yolov8n.pt").train(data="a.yaml", epochs=30, batch=8, optimizer="SGD", lr0=0.02, patience=5)\n', monkeypatch)
    (optimizer,), (stop,), (clip,), (seed,) = said.optimizers, said.early_stopping, said.clipping, said.seeds
    assert (said.framework, value_of(said.epochs)) == ("ultralytics", 30)
    assert (optimizer.kind, value_of(optimizer.settings["lr"])) == ("torch.optim.SGD", 0.02)
    momentum = optimizer.settings["momentum"]
    assert isinstance(momentum, Known) and (momentum.value, momentum.default) == (0.937, "Ultralytics 8.4")
    assert (value_of(stop.patience), stop.unit, stop.place.line) == (5, "epoch", 3)
    assert (value_of(clip.value), value_of(seed.value)) == (10.0, 0)
    train, validation = said.loaders
    assert (train.role, value_of(train.settings["batch_size"]), validation.role) == ("train", 8, "validation")


def test_arguments_over_a_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hyper.yaml").write_text("optimizer: AdamW\nlr0: 1e-3\nepochs: 50\nbatch: -1\n")
    said = recipe(tmp_path, 'model = RTDETR("rtdetr-l.pt")\nmodel.train(cfg="hyper.yaml", epochs=70)\n', monkeypatch)
    (optimizer,) = said.optimizers
    rate = optimizer.settings["lr"]
    assert (optimizer.name, value_of(said.epochs)) == ("AdamW", 70)
    assert isinstance(rate, Known) and rate.value == 0.001 and rate.place is not None and rate.place.file == "hyper.yaml"
    assert isinstance(said.loaders.items[0].settings["batch_size"], Unknown)


@pytest.mark.parametrize(
    "text",
    [
        'YOLO("a.pt").train(**options())\n',
        'YOLO("a.pt").train(cfg=which(), data="a.yaml")\n',
        'YOLO("last.pt").train(resume=True)\n',
    ],
)
def test_what_is_not_known_has_no_default(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = recipe(tmp_path, text, monkeypatch)
    (optimizer,), (stop,) = said.optimizers, said.early_stopping
    assert said.framework == "ultralytics"
    assert isinstance(optimizer.settings["lr"], Unknown) and isinstance(stop.patience, Unknown) and isinstance(said.epochs, Unknown)


def test_what_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = recipe(tmp_path, 'model = YOLO("a.pt").to("cpu")\nmodel.val()\nmodel("x.png")\nmodel.tune(epochs=3)\nprint(model.names)\n', monkeypatch)
    assert not said.trains and not said.optimizers.items


CALL = 'YOLO("a.pt").train(data="a.yaml", epochs={epochs}, patience=3, {more})\n'


@pytest.mark.parametrize(
    ("epochs", "more", "expected"),
    [
        (60, "lr0=0.002", [("setting-never-used", "chosen", 1, "warning")]),
        (60, "lr0=0.002, optimizer='auto'", [("setting-never-used", "chosen", 1, "warning")]),
        (60, "lr0=0.01", [("setting-never-used", "chosen", 1, "hint")]),  # what the library says of itself
        (60, "lr0=0.002, optimizer='SGD'", []),
        (60, "lr0=0.002, optimizer=input()", []),
        (60, "lr0=0.002, trainer=input()", []),
        (60, "lr0=0.002, resume=True", []),
        (60, "momentum=0.9, optimizer='Adam'", []),
        (8, "close_mosaic=9", [("setting-never-used", "never-reached", 1, "warning")]),
        (8, "close_mosaic=8", []),  # in the first epoch
        (8, "close_mosaic=9, mosaic=0.0", []),
        (8, "imgsz=320", []),  # ten epochs, which nobody wrote
        (0, "imgsz=320", []),  # fetches the data
    ],
)
def test_settings_without_effect(
    tmp_path: Path, epochs: int, more: str, expected: list[tuple[str, str, int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(tmp_path, CALL.format(epochs=epochs, more=more), monkeypatch) == expected


def test_a_patience_as_long_as_the_run_switches_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switched = [("early-stop-never-fires", "switched-off", 1, "hint")]
    assert found(tmp_path, 'YOLO("a.pt").train(data="a.yaml", epochs=50)\n', monkeypatch) == switched
    assert found(tmp_path, 'YOLO("a.pt").train(data="a.yaml", epochs=50, patience=50)\n', monkeypatch) == switched
    assert found(tmp_path, 'YOLO("a.pt").train(data="a.yaml", epochs=50, patience=0)\n', monkeypatch) == []
    twice = 'for epochs in (50, 90):\n    YOLO("a.pt").train(data="a.yaml", epochs=epochs, patience=60)\n'
    assert found(tmp_path, twice, monkeypatch) == []


OWN = """
class Mine(DetectionTrainer):
    def build_optimizer(self, model, name="auto", lr=0.001, momentum=0.9, decay=1e-5, iterations=1e5):
        return make(model, self.args.lr0)


class Plain(DetectionTrainer):
    def get_model(self, cfg=None, weights=None, verbose=True):
        return make(cfg)


settings = dict(data="a.yaml", epochs=90, patience=9, lr0=0.002)
Mine(overrides=settings).train()
Plain(overrides=settings).train()
"""


def test_trainers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, OWN, monkeypatch) == [("setting-never-used", "chosen", 12, "warning")]
    assert found(tmp_path, OWN.replace("Plain(overrides=settings)", "Mine(overrides=settings)"), monkeypatch) == []


RECORD = "epochs: 20\npatience: 100\nimgsz: 640\noptimizer: auto\nlr0: {rate}\nlrf: 0.01\nmomentum: 0.937\nweight_decay: 0.0005\nclose_mosaic: 10\n"


def test_the_record_of_a_run_is_not_the_users_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switched = ("early-stop-never-fires", "switched-off", 2, "hint")
    assert found(tmp_path, RECORD.format(rate=0.01), monkeypatch, "args.yaml") == [switched]
    assert found(tmp_path, RECORD.format(rate=0.002), monkeypatch, "args.yaml") == [switched, ("setting-never-used", "chosen", 5, "warning")]
