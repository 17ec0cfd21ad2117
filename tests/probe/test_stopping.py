"""Early stopping of frameworks, judged with what their trainers hold: small stand-ins with the attributes of the real ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.probe.watching import watch

LIGHTNING = {
    "lightning/__init__.py": "",
    "lightning/pytorch/__init__.py": "",
    "lightning/pytorch/callbacks/__init__.py": "",
    "lightning/pytorch/trainer/__init__.py": "",
    "lightning/pytorch/callbacks/early_stopping.py": """
class EarlyStopping:
    def __init__(self, monitor, min_delta=0.0, patience=3, mode="min"):
        self.monitor, self.patience, self.mode = monitor, patience, mode
        self.min_delta = -min_delta if mode == "min" else min_delta
""",
    "lightning/pytorch/trainer/trainer.py": """
import types


class Trainer:
    max_steps, accumulate_grad_batches, checkpoint_callbacks = -1, 1, []

    def __init__(self, max_epochs, callbacks=(), val_check_interval=1.0, check_val_every_n_epoch=1):
        self.max_epochs, self.early_stopping_callbacks = max_epochs, list(callbacks)
        self.val_check_interval, self.check_val_every_n_epoch, self.lr_scheduler_configs = val_check_interval, check_val_every_n_epoch, []

    def fit(self, train, loader, scheduler=None, monitor=None, interval="epoch"):
        self.num_training_batches = len(loader)
        if scheduler is not None:
            held = types.SimpleNamespace(scheduler=scheduler, monitor=monitor, interval=interval, frequency=1, reduce_on_plateau=monitor is not None)
            self.lr_scheduler_configs = [held]
        for epoch in range(self.max_epochs):
            train()
""",
}
TRANSFORMERS = {
    "transformers/__init__.py": "",
    "transformers/trainer_callback.py": """
class EarlyStoppingCallback:
    def __init__(self, early_stopping_patience=1, early_stopping_threshold=0.0):
        self.early_stopping_patience, self.early_stopping_threshold = early_stopping_patience, early_stopping_threshold
""",
    "transformers/trainer.py": """
import types


class Trainer:
    def __init__(self, epochs, callbacks, metric="loss", strategy="epoch"):
        self.args = types.SimpleNamespace(num_train_epochs=epochs, max_steps=-1, metric_for_best_model=metric,
            greater_is_better=not metric.endswith("loss"), load_best_model_at_end=True, eval_strategy=types.SimpleNamespace(value=strategy))
        self.state, self.callback_handler = types.SimpleNamespace(max_steps=0), types.SimpleNamespace(callbacks=callbacks)

    def train(self, train):
        for epoch in range(self.args.num_train_epochs):
            train()
""",
}
IGNITE = {
    "ignite/__init__.py": "",
    "ignite/engine/__init__.py": "",
    "ignite/handlers/__init__.py": "",
    "ignite/handlers/early_stopping.py": """
class EarlyStopping:
    def __init__(self, patience, score_function, trainer, threshold=0.0, mode="max"):
        self.patience, self.score_function, self.trainer, self.threshold, self.mode = patience, score_function, trainer, threshold, mode
""",
    "ignite/engine/engine.py": """
import types


class Engine:
    def __init__(self, train):
        self.train, self.state = train, types.SimpleNamespace(max_epochs=None)

    def run(self, max_epochs):
        self.state.max_epochs = max_epochs
        for epoch in range(max_epochs):
            self.train()
""",
}
PROGRAM = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
{imports}

torch.manual_seed(0)
x = torch.randn(320, 8)
loader = DataLoader(TensorDataset(x, x[:, :4].argmax(1)), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def train():
    for a, b in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        optimizer.step()


{run}
"""
IMPORTS = {
    "lightning": "from lightning.pytorch.callbacks.early_stopping import EarlyStopping\nfrom lightning.pytorch.trainer.trainer import Trainer",
    "transformers": "from transformers.trainer import Trainer\nfrom transformers.trainer_callback import EarlyStoppingCallback",
    "ignite": "from ignite.engine.engine import Engine\nfrom ignite.handlers.early_stopping import EarlyStopping",
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in IMPORTS]:
        del sys.modules[name]


def said(framework: str, run: str, folder: Path) -> list[tuple[str, str, str]]:
    """Rule, case and message of every error and warning of early stopping; what stops is built in line 20."""
    for name, text in {**LIGHTNING, **TRANSFORMERS, **IGNITE}.items():
        if name.startswith(framework):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
    script = folder / "train.py"
    script.write_text(PROGRAM.format(imports=IMPORTS[framework], run=run), "utf-8")
    result, _, outcome, _ = watch(script, steps=30)
    assert not result.crashes and outcome.exception is None, (result.crashes, outcome)
    assert not [entry for entry in result.skipped if "switched off" in entry.why], result.skipped
    loud = [f for f in result.findings if f.severity != "hint"]
    assert {f.group for f in loud} <= {"early-stopping"} and {f.place.line for f in loud} <= {22}
    return [(f.rule, f.case, f.message) for f in loud]


STOP = "stop = EarlyStopping({stop})\ntrainer = Trainer({trainer}callbacks=[stop])\n"


@pytest.mark.parametrize(
    ("stop", "trainer", "found"),
    [
        ("'val_loss', patience=12", "100, ", []),
        ("'val_loss'", "5, ", []),  # a short fine-tuning
        ("'val_loss', patience=2", "100, ", [("early-stop-patience-short", "few-checks")]),
        ("'val_loss', patience=5", "300, ", []),  # a hint: no schedule is laid out for the 300, which are a ceiling
        ("'val_loss', patience=5", "300, check_val_every_n_epoch=4, ", []),  # twenty epochs
        ("'val_loss', patience=30", "20, ", [("early-stop-never-fires", "patience-beyond-run")]),
        ("'val_loss', patience=30", "20, val_check_interval=0.25, ", []),  # several checks an epoch
        ("'val_loss', patience=12, mode='max'", "100, ", [("early-stop-mode-mismatch", "rising-loss")]),
        ("'val_acc', patience=12, mode='min'", "100, ", [("early-stop-mode-mismatch", "falling-score")]),
        ("'val_acc', patience=12, mode='max'", "100, ", []),
    ],
)
def test_lightning(stop: str, trainer: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    run = STOP.format(stop=stop, trainer=trainer) + "trainer.fit(train, loader)"
    assert [entry[:2] for entry in said("lightning", run, tmp_path)] == found


def test_the_values_come_from_the_run(tmp_path: Path) -> None:
    run = STOP.format(stop="'val_loss', patience=len(x) // 160", trainer="len(x) // 4, ") + "trainer.fit(train, loader)"
    message = "early stopping gives up after 2 checks without progress in a run of 80 epochs: 97% of published recipes wait longer"
    assert said("lightning", run, tmp_path) == [("early-stop-patience-short", "few-checks", message)]


PLATEAU = "trainer.fit(train, loader, torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=10), monitor={monitor!r})"
RISING = "trainer.fit(train, loader, torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters={turns}), interval={interval!r})"


def test_plateau_and_warm_up(tmp_path: Path) -> None:
    built = STOP.format(stop="'val_loss', patience=8", trainer="100, ")
    assert [entry[:2] for entry in said("lightning", built + PLATEAU.format(monitor="val_loss"), tmp_path)] == [
        ("early-stop-before-plateau", "never-lowered")
    ]
    assert said("lightning", built + PLATEAU.format(monitor="val_acc"), tmp_path) == [], "another metric may fall when this one rests"
    late = STOP.format(stop="'val_loss', patience=15", trainer="100, ")
    assert said("lightning", late + PLATEAU.format(monitor="val_loss"), tmp_path) == []
    rising = RISING.format(turns=12, interval="epoch")
    assert [entry[:2] for entry in said("lightning", built + rising, tmp_path)] == [("early-stop-in-warmup", "rate-still-rising")]
    assert said("lightning", built + RISING.format(turns=12, interval="step"), tmp_path) == [], "twelve steps are less than an epoch"
    scheduled = STOP.format(stop="'val_loss', patience=5", trainer="300, ") + RISING.format(turns=12, interval="step")
    assert [entry[:2] for entry in said("lightning", scheduled, tmp_path)] == [("early-stop-patience-short", "small-share")]


def test_a_stopper_that_nobody_is_given(tmp_path: Path) -> None:
    alone = "stop = EarlyStopping('val_loss', patience=1)\nTrainer(100).fit(train, loader)"
    assert said("lightning", alone, tmp_path) == []


@pytest.mark.parametrize(
    ("patience", "rest", "found"),
    [
        ("2", "3, [stop]", []),
        ("1", "3, [stop]", []),
        ("1", "30, [stop]", [("early-stop-patience-short", "few-checks")]),
        ("40", "30, [stop]", [("early-stop-never-fires", "patience-beyond-run")]),
        ("40", "30, [stop], strategy='steps'", []),
        ("5", "30, [stop], 'eval_error'", [("early-stop-mode-mismatch", "rising-loss")]),
        ("5", "30, [stop], 'eval_accuracy'", []),
    ],
)
def test_transformers(patience: str, rest: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    run = f"stop = EarlyStoppingCallback({patience})\nTrainer({rest}).train(train)"
    assert [entry[:2] for entry in said("transformers", run, tmp_path)] == found


@pytest.mark.parametrize(("patience", "found"), [("1", [("early-stop-patience-short", "few-checks")]), ("10", [])])
def test_ignite(patience: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    run = f"engine = Engine(train); stop = EarlyStopping({patience}, lambda engine: 0.0, engine)\nengine.run(max_epochs=50)"
    assert [entry[:2] for entry in said("ignite", run, tmp_path)] == found
