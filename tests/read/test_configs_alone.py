"""Configs that are passed by themselves: those that a dialect claims, and those whose program is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Reading
from advisor.model.source import ABSENT
from advisor.read import read

TRAIN = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def run(lr, epochs):
    torch.manual_seed(0)
    model = nn.Linear(20, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(epochs):
        for x, y in DataLoader(TensorDataset(torch.randn(64, 20), torch.randint(0, 3, (64,))), batch_size=8, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
"""
HYDRA = """
import hydra
from engine import run

@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(cfg):
    run(cfg.optim.lr, cfg.epochs)

if __name__ == "__main__":
    main()
"""
GROUPS = {
    "train.py": HYDRA,
    "engine.py": TRAIN,
    "conf/config.yaml": "defaults:\n  - optim: small\n  - _self_\nepochs: 5\n",
    "conf/optim/small.yaml": "lr: 0.1\n",
    "conf/optim/large.yaml": "lr: 0.9\nbatch_size: 4\n",
    "conf/experiment/long.yaml": "# @package _global_\ndefaults:\n  - override /optim: large\nepochs: 50\n",
}


def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], *paths: str) -> Reading:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    return read(list(paths))


def told(found: Reading) -> list[tuple[object, object]]:
    """(lr, epochs) of every program."""
    return [
        (getattr(recipe.optimizers.items[0].settings["lr"], "value", None), getattr(recipe.epochs, "value", None))
        for recipe in found.recipes
        if recipe.optimizers.items
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("conf/config.yaml", (0.1, 5)),
        ("conf/optim/small.yaml", (0.1, 5)),
        ("conf/optim/large.yaml", (0.9, 5)),
        ("conf/experiment/long.yaml", (0.9, 50)),
    ],
)
def test_hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, expected: tuple[float, int]) -> None:
    found = reading(tmp_path, monkeypatch, GROUPS, config)
    assert told(found) == [expected]
    assert found.recipes[0].entry == "train.py"
    assert found.recipes[0].shown is None


def test_with_its_program_a_config_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = reading(tmp_path, monkeypatch, GROUPS, "train.py", "conf/config.yaml", "conf/experiment/long.yaml")
    assert told(found) == [(0.1, 5), (0.9, 50)]
    assert [recipe.shown for recipe in found.recipes] == [None, frozenset({"conf/experiment/long.yaml"})]


SCRIPT = """
import argparse
import yaml
from engine import run

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", {option})
    args = parser.parse_args()
    with open(args.config) as stream:
        config = yaml.safe_load(stream)
    run(config["lr"], config["epochs"])

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("option", ["required=True", "default='configs/a.yaml'", "type=str"])
def test_a_script_with_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    files = {
        "train.py": SCRIPT.replace("{option}", option),
        "engine.py": TRAIN,
        "configs/a.yaml": "lr: 0.1\nepochs: 3\n",
        "configs/b.yaml": "lr: 0.7\nepochs: 4\n",
    }
    assert told(reading(tmp_path, monkeypatch, files, "configs/b.yaml")) == [(0.7, 4)]


def test_the_command_line_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "tools/train.py": SCRIPT.replace("{option}", "required=True").replace("from engine", "from lib.engine"),
        "lib/engine.py": TRAIN,
        "other.py": SCRIPT.replace("{option}", "required=True").replace("run(config", "print(config"),
        "setups/b.yml": "lr: 0.7\nepochs: 4\n",
        "setups/c.yml": "lr: 0.3\nepochs: 4\n",
        "run.sh": "python tools/train.py --config setups/c.yml\npython tools/train.py --config setups/b.yml\n",
    }
    found = reading(tmp_path, monkeypatch, files, "setups/b.yml")
    assert told(found) == [(0.7, 4)]
    assert found.recipes[0].entry == "tools/train.py"


def test_what_no_program_reads_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"train.py": TRAIN + "\nrun(0.1, 2)\n", "settings.yaml": "lr: 99\nepochs: 0\noptimizer: sgd\n"}
    assert not reading(tmp_path, monkeypatch, files, "settings.yaml").recipes


BASE = """
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=35))
param_scheduler = [dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
                   dict(type='MultiStepLR', milestones=[8, 11])]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12)
"""
MMENGINE = """
_base_ = ['_base_/schedule.py']
size = 4
model = dict(type='Net', out=size * 2)
train_dataloader = dict(batch_size=size, sampler=dict(type='DefaultSampler', shuffle=True))
optim_wrapper = dict(type='AmpOptimWrapper', optimizer=dict(_delete_=True, type='AdamW', lr=1e-4))
randomness = dict(seed=3)
custom_hooks = [dict(type='EarlyStoppingHook', monitor='acc', patience=7, rule='greater')]
"""


def test_mmengine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"configs/net.py": MMENGINE, "configs/_base_/schedule.py": BASE}
    [recipe] = reading(tmp_path, monkeypatch, files, "configs/net.py").recipes
    [optimizer] = recipe.optimizers
    lr = optimizer.settings["lr"]
    assert (recipe.framework, optimizer.kind, lr.value, lr.place.file, lr.place.line) == ("mmengine", "torch.optim.AdamW", 1e-4, "configs/net.py", 6)  # type: ignore[union-attr]
    assert "momentum" not in optimizer.settings
    assert [(clip.value.value, clip.place.file) for clip in recipe.clipping] == [(35, "configs/_base_/schedule.py")]  # type: ignore[union-attr]
    assert [(s.name, s.stepped) for s in recipe.schedulers] == [("LinearLR", "batch"), ("MultiStepLR", "epoch")]
    assert [seed.value.value for seed in recipe.seeds] == [3]  # type: ignore[union-attr]
    assert [loader.settings["batch_size"].value for loader in recipe.loaders] == [4]  # type: ignore[union-attr]
    assert recipe.epochs.value == 12  # type: ignore[union-attr]
    assert [(stop.patience.value, stop.mode.value) for stop in recipe.early_stopping] == [(7, "max")]  # type: ignore[union-attr]


def test_mmcv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
    model = dict(type='Net')
    data = dict(samples_per_gpu=16, train=dict(type='Set'))
    optimizer = dict(type='SGD', lr=0.1, momentum=0.9)
    optimizer_config = dict(grad_clip=None)
    lr_config = dict(policy='step', step=[30, 60])
    total_epochs = 65
    """
    import textwrap

    [recipe] = reading(tmp_path, monkeypatch, {"net.py": textwrap.dedent(text)}, "net.py").recipes
    assert (recipe.optimizers.items[0].name, recipe.schedulers.items[0].name, recipe.epochs.value) == ("SGD", "step", 65)  # type: ignore[union-attr]
    assert recipe.clipping.absent
    assert recipe.accumulation is ABSENT
    assert recipe.loaders.items[0].settings["batch_size"].value == 16  # type: ignore[union-attr]


def test_mm_bases_that_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.py": "_base_ = ['b.py', 'gone.py']\nmodel = dict(type='N')\n", "b.py": "_base_ = 'a.py'\noptimizer = dict(type='SGD', lr=1)\n"}
    found = reading(tmp_path, monkeypatch, files, "a.py")
    assert sorted((broken.place.file, broken.kind) for broken in found.broken) == [("a.py", "include"), ("b.py", "include")]


def test_fragments_are_no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not reading(tmp_path, monkeypatch, {"schedule.py": BASE}, "schedule.py").recipes
