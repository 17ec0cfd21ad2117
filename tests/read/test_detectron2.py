"""Detectron2: what a config holds after the model zoo and the program, what a trainer builds from it, and what its loop is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.events import Kind, events
from advisor.model.recipe import Recipe
from advisor.model.rule import Choice
from advisor.model.source import Known, Unknown, value_of
from advisor.read import read

IMPORTS = """
import torch
from detectron2 import model_zoo
from detectron2.config import get_cfg
from detectron2.engine import DefaultTrainer, SimpleTrainer, default_argument_parser, default_setup, launch
from detectron2.solver import build_lr_scheduler, build_optimizer
"""
TRAIN = """
trainer = DefaultTrainer(cfg)
trainer.resume_or_load(resume=False)
trainer.train()
"""
ZOO = 'cfg.merge_from_file(model_zoo.get_config_file("COCO-Detection/retinanet_R_50_FPN_1x.yaml"))\n'


def write(tmp_path: Path, text: str, **files: str) -> str:
    for name, content in files.items():
        (tmp_path / name.replace("_yaml", ".yaml")).write_text(textwrap.dedent(content))
    path = tmp_path / "train.py"
    path.write_text(IMPORTS + text)
    return str(path)


def recipe(tmp_path: Path, text: str, **files: str) -> Recipe:
    (found,) = read([write(tmp_path, text, **files)]).recipes
    return found


def found(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, **files: str) -> list[tuple[str, str, int, str]]:
    path = write(tmp_path, text, **files)
    monkeypatch.chdir(tmp_path)
    rules = cards.load()
    result = lint(read([path]), lambda file: Choice(rules), rules, severity="hint")
    lines = IMPORTS.count("\n")
    return [(f.rule, f.case, f.place.line - lines, f.severity) for f in result.findings]


def test_defaults_and_what_the_program_sets(tmp_path: Path) -> None:
    said = recipe(tmp_path, "cfg = get_cfg()\ncfg.SOLVER.BASE_LR = 0.01\ncfg.SOLVER.STEPS = (500, 800)\ncfg.SOLVER.MAX_ITER = 900\n" + TRAIN)
    (optimizer,), (scheduler,), (loader,) = said.optimizers, said.schedulers, said.loaders
    assert said.framework == "detectron2"
    assert (optimizer.kind, optimizer.owner, value_of(optimizer.settings["lr"])) == ("torch.optim.SGD", "detectron2", 0.01)
    assert optimizer.place.line == IMPORTS.count("\n") + 2
    momentum = optimizer.settings["momentum"]
    assert isinstance(momentum, Known) and (momentum.value, momentum.default) == (0.9, "Detectron2 0.6")
    assert (scheduler.kind, scheduler.stepped, scheduler.optimizer) == ("detectron2.WarmupMultiStepLR", "batch", optimizer)
    assert (value_of(scheduler.settings["milestones"]), value_of(scheduler.settings["warmup_steps"])) == ((500, 800), 1000)
    assert (loader.role, value_of(loader.settings["batch_size"]), value_of(said.steps)) == ("train", 16, 900)
    assert not said.clipping.items and said.clipping.complete
    steps = [event.kind for event, context in events(said.tree) if context.loops]
    assert steps == [Kind.FORWARD, Kind.ZERO_GRAD, Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.SCHEDULER_STEP]


def test_the_zoo_hides_what_it_sets_and_nothing_else(tmp_path: Path) -> None:
    said = recipe(tmp_path, "cfg = get_cfg()\n" + ZOO + "cfg.SOLVER.IMS_PER_BATCH = 4\n" + TRAIN)
    (optimizer,), (scheduler,), (loader,) = said.optimizers, said.schedulers, said.loaders
    assert isinstance(optimizer.settings["lr"], Unknown) and isinstance(said.steps, Unknown)
    assert isinstance(scheduler.settings["milestones"], Unknown)
    assert value_of(optimizer.settings["weight_decay"]) == 0.0001
    assert value_of(loader.settings["batch_size"]) == 4
    assert said.seeds.absent and said.clipping.absent


def test_a_config_that_cannot_be_found_leaves_no_default(tmp_path: Path) -> None:
    said = recipe(tmp_path, 'cfg = get_cfg()\ncfg.merge_from_file("elsewhere.yaml")\ncfg.SOLVER.BASE_LR = 0.01\n' + TRAIN)
    (optimizer,) = said.optimizers
    assert value_of(optimizer.settings["lr"]) == 0.01
    assert isinstance(optimizer.settings["momentum"], Unknown)
    assert not said.clipping.complete


def test_a_config_of_the_project_with_its_base_and_overrides(tmp_path: Path) -> None:
    base = "SOLVER:\n  BASE_LR: 0.02\n  STEPS: (60, 80)\n  MAX_ITER: 90\nMODEL:\n  META_ARCHITECTURE: RetinaNet\n"
    own = "_BASE_: base.yaml\nSOLVER:\n  BASE_LR: 1e-3\n  CLIP_GRADIENTS:\n    ENABLED: True\n    CLIP_TYPE: norm\n    CLIP_VALUE: 0.5\n"
    text = 'cfg = get_cfg()\ncfg.merge_from_file("own.yaml")\ncfg.merge_from_list(["SOLVER.AMP.ENABLED", "True", "SOLVER.MAX_ITER", 100])\n'
    said = recipe(tmp_path, text + TRAIN, base_yaml=base, own_yaml=own)
    (optimizer,), (scheduler,), (clip,), (model,) = said.optimizers, said.schedulers, said.clipping, said.models
    assert value_of(optimizer.settings["lr"]) == 0.001
    assert value_of(scheduler.settings["milestones"]) == (60, 80)
    assert (clip.kind, value_of(clip.value), clip.place.file.endswith("own.yaml")) == ("norm", 0.5, True)
    assert (value_of(said.precision), value_of(said.steps), model.name) == ("amp", 100, "RetinaNet")


OWN = """
class Trainer(DefaultTrainer):
    @classmethod
    def build_optimizer(cls, cfg, model):
        return torch.optim.AdamW(model.parameters(), lr=cfg.SOLVER.BASE_LR * 0.1)

    @classmethod
    def build_lr_scheduler(cls, cfg, optimizer):
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=cfg.SOLVER.MAX_ITER)

    def run_step(self):
        super().run_step()
        print(self.iter)


def main(args):
    cfg = get_cfg()
    cfg.merge_from_list(args.opts)
    cfg.SEED = 3
    default_setup(cfg, args)
    trainer = Trainer(cfg)
    trainer.train()


if __name__ == "__main__":
    args = default_argument_parser().parse_args()
    launch(main, args.num_gpus, args=(args,))
"""


def test_a_trainer_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = recipe(tmp_path, OWN)
    (optimizer,), (scheduler,), (seed,) = said.optimizers, said.schedulers, said.seeds
    assert (optimizer.name, round(value_of(optimizer.settings["lr"]), 9)) == ("AdamW", 0.0001)  # type: ignore[call-overload]
    assert (scheduler.name, scheduler.stepped, value_of(seed.value)) == ("CosineAnnealingLR", "batch", 3)
    assert said.whole and not [option for option in said.hyperparameters if not option.read]
    assert found(tmp_path, OWN, monkeypatch) == []


LOOP = """
cfg = get_cfg()
cfg.SOLVER.MAX_ITER = 4000
torch.manual_seed(0)
model = DefaultTrainer.build_model(cfg)
optimizer = build_optimizer(cfg, model)
scheduler = build_lr_scheduler(cfg, optimizer)
for data, iteration in zip(DefaultTrainer.build_train_loader(cfg), range(cfg.SOLVER.MAX_ITER)):
    losses = sum(model(data).values())
    losses.backward()
    optimizer.step()
    scheduler.step()
"""


def test_a_loop_of_the_project_is_judged_as_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recipe(tmp_path, LOOP).framework == "plain"
    assert ("missing-zero-grad", 10) in {(rule, line) for rule, _, line, _ in found(tmp_path, LOOP, monkeypatch)}
    mended = LOOP.replace("    losses.backward()", "    optimizer.zero_grad()\n    losses.backward()")
    assert found(tmp_path, mended, monkeypatch) == []


SEEDED = "torch.manual_seed(1)\ncfg = get_cfg()\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("cfg.SOLVER.MAX_ITER = 3500\ncfg.SOLVER.STEPS = (4000, 5000)\n", [("scheduler-horizon-mismatch", "every-milestone-beyond", 4, "warning")]),
        ("cfg.SOLVER.MAX_ITER = 9000\ncfg.SOLVER.STEPS = (8000, 10000)\n", [("scheduler-horizon-mismatch", "milestone-beyond", 4, "hint")]),
        ("cfg.SOLVER.MAX_ITER = 9000\ncfg.SOLVER.STEPS = (6000, 9000)\n", []),
        ("cfg.SOLVER.MAX_ITER = 9000\ncfg.SOLVER.STEPS = []\n", []),
        ("cfg.SOLVER.MAX_ITER = 9000\n", []),  # the library's own milestone lies beyond: nobody wrote it
        ("cfg.SOLVER.MAX_ITER = 900\ncfg.SOLVER.STEPS = []\n", [("warmup-too-long", "whole", 3, "hint")]),  # the library's own warm-up
        (
            "cfg.SOLVER.MAX_ITER = 900\ncfg.SOLVER.STEPS = []\ncfg.SOLVER.WARMUP_ITERS = 2000\n",
            [("warmup-too-long", "whole", 5, "error")],
        ),
        ("cfg.SOLVER.MAX_ITER = 9000\ncfg.SOLVER.GAMMA = 0.5\ncfg.SOLVER.WARMUP_ITERS = 100\ncfg.SOLVER.STEPS = [5000]\n", []),
    ],
)
def test_schedules(tmp_path: Path, lines: str, expected: list[tuple[str, str, int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, SEEDED + lines + TRAIN, monkeypatch) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("cfg = get_cfg()\n" + ZOO, [("missing-seed", "nothing-seeded", 4, "warning")]),
        ("cfg = get_cfg()\n" + ZOO + "default_setup(cfg, None)\n", []),  # it draws a seed and logs it
        ("cfg = get_cfg()\ncfg.SEED = 3\n", []),  # the order of the data is seeded: it could not be judged
        ("import random\ncfg = get_cfg()\nprint(random.sample(range(9), 3))\n", [("missing-seed", "nothing-seeded", 5, "warning")]),
        (SEEDED, []),
    ],
)
def test_seeds(tmp_path: Path, lines: str, expected: list[tuple[str, str, int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, lines + TRAIN, monkeypatch) == expected


def test_a_config_alone_is_judged_like_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").write_text(
        "DATASETS:\n  TRAIN: (a,)\nMODEL:\n  DEVICE: cpu\nSOLVER:\n  BASE_LR: 0.01\n  MAX_ITER: 5000\n  STEPS: (6000,)\n"
    )
    monkeypatch.chdir(tmp_path)
    rules = cards.load()
    result = lint(read(["own.yaml"]), lambda file: Choice(rules), rules)
    assert [(f.rule, f.case, f.place.line) for f in result.findings] == [("scheduler-horizon-mismatch", "every-milestone-beyond", 8)]
