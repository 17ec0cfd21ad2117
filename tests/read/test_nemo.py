"""NeMo scripts: the config that hydra_runner hands over makes the optimizer, the schedule and the loaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Recipe
from advisor.model.source import Known, Setting, Unknown, first
from advisor.read import read

SCRIPT = """\
import lightning.pytorch as pl
from nemo.collections.asr.models import EncDecCTCModel
from nemo.core.config import hydra_runner
from nemo.utils import logging
from nemo.utils.exp_manager import exp_manager


@hydra_runner(config_path="conf", config_name="config")
def main(cfg):
    logging.info("begins")
    trainer = pl.Trainer(**cfg.trainer)
    exp_manager(trainer, cfg.get("exp_manager", None))
    model = EncDecCTCModel(cfg=cfg.model, trainer=trainer)
    trainer.fit(model)


if __name__ == "__main__":
    main()
"""
CONFIG = """\
model:
  train_ds:
    batch_size: 32
    shuffle: true
  validation_ds:
    batch_size: 16
    shuffle: false
  optim:
    name: novograd
    lr: .05
    betas: [0.8, 0.25]
    weight_decay: 0.001
    sched:
      name: CosineAnnealing
      warmup_steps: 1000
trainer:
  max_epochs: 100
  gradient_clip_val: 0.5
  accumulate_grad_batches: 2
exp_manager:
  checkpoint_callback_params:
    monitor: val_wer
"""


def plain(setting: Setting | None) -> object:
    known = first(setting)
    return known.value if known is not None else None


def read_with(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str, *joined: str) -> Recipe:
    (folder / "conf").mkdir()
    (folder / "train.py").write_text(SCRIPT)
    (folder / "conf" / "config.yaml").write_text(CONFIG)
    (folder / "conf" / "large.yaml").write_text(config)
    monkeypatch.chdir(folder)
    return read(["train.py"], configs=joined).recipes[0]


def test_the_config_makes_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_with(tmp_path, monkeypatch, CONFIG)
    assert (recipe.framework, recipe.files) == ("lightning", ["train.py", "conf/config.yaml"])
    [optimizer] = recipe.optimizers
    rate = optimizer.settings["lr"]
    assert isinstance(rate, Known)
    assert (optimizer.name, rate.value, rate.place.line if rate.place else None) == ("Novograd", 0.05, 10)
    [scheduler] = recipe.schedulers
    assert (scheduler.kind, scheduler.stepped, scheduler.optimizer, plain(scheduler.settings["warmup_steps"])) == (
        "nemo.CosineAnnealing",
        "batch",
        optimizer,
        1000,
    )
    assert [(loader.role, plain(loader.settings["batch_size"])) for loader in recipe.loaders] == [("train", 32), ("validation", 16)]
    assert [plain(clip.value) for clip in recipe.clipping] == [0.5]
    assert (plain(recipe.epochs), plain(recipe.accumulation)) == (100, 2)
    assert [save.best for save in recipe.saves] == [True]
    assert recipe.early_stopping.items == []
    assert recipe.seeds.absent


def test_early_stopping_of_the_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIG + "  create_early_stopping_callback: true\n  early_stopping_callback_params:\n    monitor: val_wer\n    patience: 4\n"
    [stop] = read_with(tmp_path, monkeypatch, text, "conf/large.yaml").early_stopping
    assert [plain(held) for held in (stop.monitor, stop.patience, stop.mode, stop.min_delta)] == ["val_wer", 4, "min", 0.001]


def test_a_run_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_with(tmp_path, monkeypatch, CONFIG.replace("max_epochs: 100", "max_epochs: -1"), "conf/large.yaml")
    assert isinstance(recipe.epochs, Unknown)


def test_an_optimizer_of_another_name_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_with(tmp_path, monkeypatch, CONFIG.replace("novograd", "adan"), "conf/large.yaml")
    assert (recipe.optimizers.items, recipe.optimizers.complete) == ([], False)
