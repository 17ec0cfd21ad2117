"""Ignite: engines run as the loops that they are, with every handler where its event stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.events import Branch, Event, Kind, Loop, Region, events, walk
from advisor.model.recipe import Recipe
from advisor.model.rule import Choice
from advisor.model.source import ABSENT, value_of
from advisor.read import read

HEAD = """\
import torch
from ignite.contrib.handlers import ProgressBar
from ignite.engine import Engine, Events, create_supervised_evaluator, create_supervised_trainer
from ignite.handlers import Checkpoint, CosineAnnealingScheduler, DiskSaver, EarlyStopping, ModelCheckpoint, create_lr_scheduler_with_warmup
from ignite.handlers.param_scheduler import LRScheduler
from ignite.metrics import Accuracy, Loss, RunningAverage
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
train = DataLoader(TensorDataset(torch.randn(640, 4), torch.randint(0, 2, (640,))), batch_size=32, shuffle=True)
held = DataLoader(TensorDataset(torch.randn(64, 4), torch.randint(0, 2, (64,))), batch_size=16)
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
criterion = nn.CrossEntropyLoss()
"""
STEP = """\

def step(engine, batch):
    model.train()
    x, y = batch
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


trainer = Engine(step)
"""
MADE = "trainer = create_supervised_trainer(model, optimizer, criterion, device='cuda')\n"
VALIDATE = """
evaluator = create_supervised_evaluator(model, metrics={"accuracy": Accuracy(), "loss": Loss(criterion)})
trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: evaluator.run(held))
"""
RUN = "trainer.run(train, max_epochs=30)\n"


def recipe(folder: Path, *parts: str) -> Recipe:
    (folder / "train.py").write_text(HEAD + "".join(parts))
    (found,) = read([str(folder / "train.py")]).recipes
    return found


def findings(folder: Path, *parts: str) -> list[tuple[str, int]]:
    (folder / "train.py").write_text(HEAD + "".join(parts))
    every = cards.load()
    found = lint(read([str(folder / "train.py")]), lambda file: Choice(every, {}), frozenset(every)).findings
    return [(one.rule, one.place.line) for one in found]


def line(text: str, *parts: str) -> int:
    (at,) = [at for at, one in enumerate((HEAD + "".join(parts)).splitlines(), 1) if text in one]
    return at


def order(found: Recipe, *kinds: Kind) -> list[str]:
    """The events of these kinds in order, each with the loops and regions that it stands in."""
    told = []
    for node, context in walk(found.tree):
        if isinstance(node, Event) and node.kind in kinds:
            around = [part for part in context.path if isinstance(part, (Loop, Region)) or (isinstance(part, tuple) and isinstance(part[0], Branch))]
            told.append("/".join([*(_word(part) for part in around), node.kind.value]))
    return told


def _word(part: object) -> str:
    if isinstance(part, Loop):
        return f"{part.what}({value_of(part.count)})" if part.what == "range" else part.what
    return part.what if isinstance(part, Region) else "if"


@pytest.mark.parametrize("trainer", [STEP, MADE])
def test_the_loop_of_an_engine(tmp_path: Path, trainer: str) -> None:
    found = recipe(tmp_path, trainer, VALIDATE, RUN)
    (optimizer,), losses = found.optimizers, found.losses
    assert (found.framework, found.whole, optimizer.name, value_of(optimizer.settings["lr"])) == ("ignite", True, "SGD", 0.01)
    assert [loss.name for loss in losses] == ["CrossEntropyLoss"]
    assert (value_of(found.epochs), value_of(found.steps), found.accumulation) == (30, 600, ABSENT)
    assert [(loader.role, value_of(loader.settings["batch_size"])) for loader in found.loaders] == [("train", 32), ("validation", 16)]
    assert found.clipping.absent and found.schedulers.absent and found.seeds.complete
    assert [value_of(found.evaluation[name]) for name in ("eval_mode", "no_grad", "train_restored")] == [True, True, True]
    told = order(found, Kind.TRAIN_MODE, Kind.ZERO_GRAD, Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.EVAL_MODE, Kind.FORWARD)
    batch = "range(30)/loader/"
    begin = ["train-mode", "zero-grad"] if trainer == STEP else ["zero-grad", "train-mode"]
    assert told == [
        *(f"{batch}{kind}" for kind in (*begin, "forward", "backward", "optimizer-step")),
        f"{batch}eval-mode",
        f"{batch}no_grad/forward",
    ]
    assert findings(tmp_path, trainer, VALIDATE, RUN) == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("STARTED", "save"),
        ("EPOCH_STARTED", "range(30)/save"),
        ("ITERATION_COMPLETED", "range(30)/loader/save"),
        ("ITERATION_COMPLETED(every=100)", "range(30)/loader/if/save"),
        ("ITERATION_COMPLETED(every=1)", "range(30)/loader/save"),
        ("EPOCH_COMPLETED(event_filter=chosen)", "range(30)/if/save"),
        ("COMPLETED", "save"),
    ],
)
def test_where_a_handler_runs(tmp_path: Path, event: str, told: str) -> None:
    handler = f"@trainer.on(Events.{event})\ndef keep():\n    torch.save(model.state_dict(), 'last.pt')\n"
    found = recipe(tmp_path, MADE, "chosen = lambda engine, number: number % 3 == 0\n", handler, RUN)
    assert order(found, Kind.SAVE) == [told]
    assert order(found, Kind.SAVE, Kind.BACKWARD)[0] == (told if event.endswith("STARTED") else "range(30)/loader/backward")


def test_several_events_and_arguments_of_a_handler(tmp_path: Path) -> None:
    handler = "def keep(engine, net, path):\n    torch.save(net.state_dict(), path)\n"
    attached = "trainer.add_event_handler(Events.STARTED | Events.COMPLETED, keep, model, path='last.pt')\n"
    found = recipe(tmp_path, MADE, handler, attached, RUN)
    assert order(found, Kind.SAVE, Kind.BACKWARD) == ["save", "range(30)/loader/backward", "save"]
    assert [(value_of(save.path), save.parts) for save in found.saves] == [("last.pt", {"": "model-state"})] * 2


def test_events_of_the_program(tmp_path: Path) -> None:
    text = """\
from ignite.contrib.handlers import CustomPeriodicEvent
from ignite.engine import EventEnum

class Mine(EventEnum):
    CLEANED = "cleaned"

trainer.register_events(*Mine)
trainer.on(Mine.CLEANED)(lambda engine: torch.save(model.state_dict(), "mine.pt"))
trainer.on(Events.EPOCH_COMPLETED)(lambda engine: engine.fire_event(Mine.CLEANED))
periodic = CustomPeriodicEvent(n_iterations=100)
trainer.on(getattr(periodic.Events, "ITERATIONS_100_COMPLETED"))(lambda engine: torch.save(model.state_dict(), "periodic.pt"))
"""
    found = recipe(tmp_path, MADE, text, RUN)
    assert order(found, Kind.SAVE) == ["range(30)/loader/if/save", "range(30)/save"]
    assert [value_of(save.path) for save in found.saves] == ["periodic.pt", "mine.pt"]


def test_mixed_precision_and_accumulation(tmp_path: Path) -> None:
    more = "trainer = create_supervised_trainer(model, optimizer, criterion, amp_mode='amp', scaler=True, gradient_accumulation_steps=4)\n"
    found = recipe(tmp_path, more, RUN)
    (scaler,) = found.scalers
    (backward,) = events(found.tree, Kind.BACKWARD)
    assert (value_of(found.accumulation), backward[0].data["scaler"], [value_of(by) for by in backward[0].data["flow"].divided]) == (4, scaler, [4])
    assert order(found, Kind.ZERO_GRAD, Kind.FORWARD, Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.SCALER_UPDATE) == [
        "range(30)/loader/if/zero-grad",
        "range(30)/loader/autocast/forward",
        "range(30)/loader/backward",
        "range(30)/loader/if/optimizer-step",
        "range(30)/loader/if/scaler-update",
    ]


def test_faults_are_seen_where_they_stand(tmp_path: Path) -> None:
    assert findings(tmp_path, STEP.replace("    optimizer.zero_grad()\n", ""), VALIDATE, RUN) == [
        ("missing-zero-grad", line("loss.backward()", STEP.replace("    optimizer.zero_grad()\n", "")))
    ]
    evaluate = "def look(engine, batch):\n    with torch.no_grad():\n        return model(batch[0]), batch[1]\n\n\nevaluator = Engine(look)\n"
    attach = "trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(held))\n"
    assert findings(tmp_path, STEP, evaluate, attach, RUN) == [("evaluation-in-train-mode", line("evaluator.run(held)", STEP, evaluate, attach, RUN))]
    eager = evaluate.replace("    with torch.no_grad():\n        return", "    model.eval()\n    return")
    (found,) = findings(tmp_path, STEP, eager, attach, RUN)
    assert found[0] == "evaluation-with-gradients"
    softmax = MADE.replace("model,", "nn.Sequential(model, nn.Softmax(1)),")
    assert {rule for rule, _ in findings(tmp_path, softmax, VALIDATE, RUN)} == {"softmax-before-cross-entropy"}
    assert findings(tmp_path, MADE, VALIDATE, RUN.replace("train,", "DataLoader(held.dataset, batch_size=8),"))[-1][0] == "train-not-shuffled"


SCORE = "evaluator.add_event_handler(Events.COMPLETED, EarlyStopping({patience}, lambda engine: {score}, trainer))\n"


@pytest.mark.parametrize(
    ("score", "patience", "rules"),
    [
        ("engine.state.metrics['accuracy']", 5, []),
        ("-engine.state.metrics['loss']", 5, []),
        ("engine.state.metrics['loss']", 5, ["early-stop-mode-mismatch"]),
        ("engine.state.metrics['accuracy']", 30, ["early-stop-never-fires"]),
    ],
)
def test_early_stopping(tmp_path: Path, score: str, patience: int, rules: list[str]) -> None:
    stop = SCORE.format(score=score, patience=patience)
    (found,) = recipe(tmp_path, MADE, VALIDATE, stop, RUN).early_stopping
    assert (value_of(found.patience), found.unit, found.owner, value_of(found.mode)) == (patience, "epoch", "ignite", "max")
    assert found.on == "validation"
    now_and_then = VALIDATE.replace("EPOCH_COMPLETED", "EPOCH_COMPLETED(every=5)")
    assert [one.unit for one in recipe(tmp_path, MADE, now_and_then, stop, RUN).early_stopping] == ["evaluation"]
    assert [rule for rule, _ in findings(tmp_path, MADE, VALIDATE, stop, RUN)] == rules
    unattached = stop.replace("evaluator.add_event_handler(Events.COMPLETED, ", "handler = (")
    assert recipe(tmp_path, MADE, VALIDATE, unattached, RUN).early_stopping.absent


def test_checkpoints(tmp_path: Path) -> None:
    best = """\
score = lambda engine: engine.state.metrics["accuracy"]
best = Checkpoint({"model": model, "optimizer": optimizer, "trainer": trainer}, DiskSaver("out"), score_function=score)
evaluator.add_event_handler(Events.COMPLETED, best)
trainer.add_event_handler(Events.EPOCH_COMPLETED, ModelCheckpoint("last", "net"), to_save={"model": model})
"""
    found = recipe(tmp_path, MADE, VALIDATE, best, RUN)
    assert [(value_of(save.path), save.best, save.parts) for save in found.saves] == [
        ("out", True, {"model": "model-state", "optimizer": "optimizer", "trainer": "number"}),
        ("last", False, {"model": "model-state"}),
    ]
    assert found.saves.items[0].monitor is not None and found.saves.items[0].monitor.metric == "accuracy"


@pytest.mark.parametrize(
    ("schedule", "names", "stepped"),
    [
        (
            "trainer.add_event_handler(Events.ITERATION_STARTED, CosineAnnealingScheduler(optimizer, 'lr', 0.1, 0.001, 600))",
            ["CosineAnnealingScheduler"],
            "batch",
        ),
        ("trainer.add_event_handler(Events.EPOCH_COMPLETED, LRScheduler(torch.optim.lr_scheduler.StepLR(optimizer, 10)))", ["StepLR"], "epoch"),
        (
            "trainer.add_event_handler(Events.ITERATION_STARTED, create_lr_scheduler_with_warmup("
            "torch.optim.lr_scheduler.StepLR(optimizer, 10), 0.0, 100))",
            ["StepLR", "create_lr_scheduler_with_warmup"],
            "batch",
        ),
        (
            "decay = torch.optim.lr_scheduler.StepLR(optimizer, 10)\ntrainer.on(Events.EPOCH_COMPLETED)(lambda engine: decay.step())",
            ["StepLR"],
            "epoch",
        ),
        ("idle = LRScheduler(torch.optim.lr_scheduler.StepLR(optimizer, 10))", ["StepLR"], "never"),
    ],
)
def test_schedules(tmp_path: Path, schedule: str, names: list[str], stepped: str) -> None:
    found = recipe(tmp_path, MADE, schedule, "\n", RUN)
    assert [(one.name, one.stepped) for one in found.schedulers] == [(name, stepped) for name in names]
    assert all(one.optimizer is found.optimizers.items[0] for one in found.schedulers)
    rules = [rule for rule, _ in findings(tmp_path, MADE, VALIDATE, schedule, "\n", RUN)]
    assert rules == (["scheduler-never-stepped"] if stepped == "never" else [])


def test_one_of_many_schedules_is_attached(tmp_path: Path) -> None:
    text = "import sys\n\nname = sys.argv[1]\ndecay = None\n"
    for number in range(6):
        text += f"if name == 'kind {number}':\n    decay = CosineAnnealingScheduler(optimizer, 'lr', 0.1, 0.00{number + 1}, 600)\n"
    text += "if decay is not None:\n    trainer.add_event_handler(Events.ITERATION_STARTED, decay)\n"
    assert findings(tmp_path, MADE, VALIDATE, text, RUN) == []


def test_the_momentum_is_no_rate(tmp_path: Path) -> None:
    attached = "trainer.add_event_handler(Events.ITERATION_STARTED, CosineAnnealingScheduler(optimizer, 'momentum', 0.95, 0.85, 600))\n"
    assert recipe(tmp_path, MADE, attached, RUN).schedulers.absent


def test_what_a_step_counts_is_not_decided_by_its_first_turn(tmp_path: Path) -> None:
    counting = STEP.replace("    optimizer.step()\n", "    global seen\n    seen += 1\n    if seen % 4 == 0:\n        optimizer.step()\n")
    found = recipe(tmp_path, "seen = 0\n", counting, RUN)
    assert order(found, Kind.OPTIMIZER_STEP) == ["range(30)/loader/if/optimizer-step"]


def test_an_engine_class_and_several_processes(tmp_path: Path) -> None:
    text = """\
import ignite.distributed as idist


class Learner(Engine):
    def __init__(self, net, steps):
        super().__init__(Learner.learn)
        self.net, self.steps = net, steps

    @staticmethod
    def learn(engine, batch):
        engine.net.train()
        engine.steps.zero_grad()
        criterion(engine.net(batch[0]), batch[1]).backward()
        torch.nn.utils.clip_grad_norm_(engine.net.parameters(), 0.5)
        engine.steps.step()


def work(local_rank, epochs):
    loader = idist.auto_dataloader(train.dataset, batch_size=64, shuffle=True)
    Learner(idist.auto_model(model), idist.auto_optim(optimizer)).run(loader, max_epochs=epochs)


with idist.Parallel(backend="gloo") as parallel:
    parallel.run(work, epochs=7)
"""
    found = recipe(tmp_path, text)
    assert (value_of(found.epochs), [value_of(clip.value) for clip in found.clipping]) == (7, [0.5])
    assert [value_of(loader.settings["batch_size"]) for loader in found.loaders if loader.role == "train"] == [64]
    assert order(found, Kind.OPTIMIZER_STEP) == ["range(7)/loader/optimizer-step"]
    assert "shard" in found.owner_silences and value_of(found.distributed["process_group"]) is True
    assert findings(tmp_path, text) == []
