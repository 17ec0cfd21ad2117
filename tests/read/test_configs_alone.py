"""Configs that are passed by themselves: those that a dialect claims, and those whose program is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Reading
from advisor.model.source import ABSENT, first
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


def test_what_a_base_of_an_installed_library_says_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
_base_ = 'mmseg::_base_/schedules/schedule_40k.py'
model = dict(type='Net')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9), clip_grad=dict(max_norm=1))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=12000)
"""
    found = reading(tmp_path, monkeypatch, {"net.py": text}, "net.py")
    [recipe] = found.recipes
    assert not recipe.schedulers.items and not recipe.schedulers.complete and not recipe.seeds.complete
    assert [clip.value.value for clip in recipe.clipping] == [1] and recipe.clipping.complete  # type: ignore[union-attr]
    assert [(broken.skipped, broken.place.line) for broken in found.broken] == [(True, 2)]


def test_fragments_are_no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not reading(tmp_path, monkeypatch, {"schedule.py": BASE}, "schedule.py").recipes


RUNNER = """
import argparse
from mmengine.config import Config
from mmengine.runner import Runner

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", help="train config file path")
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    cfg.optim_wrapper.optimizer.lr = 0.5
    runner = Runner.from_cfg(cfg)
    runner.train()

if __name__ == "__main__":
    main()
"""


def test_a_runner_with_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"tools/train.py": RUNNER, "configs/net.py": MMENGINE, "configs/_base_/schedule.py": BASE}
    files["run.sh"] = "python tools/train.py configs/net.py\n"
    [recipe] = reading(tmp_path, monkeypatch, files, "tools/train.py").recipes
    assert (recipe.framework, recipe.optimizers.items[0].name, recipe.optimizers.items[0].settings["lr"].value) == ("mmengine", "AdamW", 0.5)  # type: ignore[union-attr]
    assert recipe.epochs.value == 12  # type: ignore[union-attr]


def test_a_runner_without_its_config_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [recipe] = reading(tmp_path, monkeypatch, {"tools/train.py": RUNNER}, "tools/train.py").recipes
    assert recipe.framework == "mmengine"
    for listing in (recipe.optimizers, recipe.schedulers, recipe.clipping, recipe.seeds, recipe.loaders):
        assert not listing.complete and listing.why == "a config file whose path is not known"


COMMANDS = """
import hydra
from engine import run

@hydra.main(version_base=None)
def main(cfg):
    run(cfg.lr, cfg.epochs)

if __name__ == "__main__":
    main()
"""


def test_options_of_hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "train.py": COMMANDS,
        "engine.py": TRAIN,
        "setups/a.yaml": "lr: 0.1\nepochs: 3\n",
        "setups/b.yaml": "lr: 0.2\nepochs: 4\n",
        "a.sh": "python train.py --config-path setups --config-name a.yaml \\\n    # a comment\n    lr=0.3 epochs=1\n",
        "b.sh": "python train.py --config-path=setups --config-name=a lr=0.3 epochs=2\n",
    }
    assert told(reading(tmp_path, monkeypatch, files, "train.py")) == [(0.3, 3)]
    assert told(reading(tmp_path, monkeypatch, files, "setups/b.yaml")) == [(0.2, 4)]


def test_the_likeliest_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"main_linear.py": COMMANDS, "main_pretrain.py": COMMANDS, "engine.py": TRAIN, "scripts/pretrain/a.yaml": "lr: 0.1\nepochs: 3\n"}
    [recipe] = reading(tmp_path, monkeypatch, files, "scripts/pretrain/a.yaml").recipes
    assert recipe.entry == "main_pretrain.py"


FACTORY = """
import argparse
import importlib
from omegaconf import OmegaConf
from lightning.pytorch import Trainer

def made(config):
    module, name = config["target"].rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**config.get("params", dict()))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-b", "--base", nargs="*", metavar="base_config.yaml", help="paths to base configs", default=list())
    parser = Trainer.add_argparse_args(parser)
    options, unknown = parser.parse_known_args()
    configs = [OmegaConf.load(path) for path in options.base]
    config = OmegaConf.merge(*configs, OmegaConf.from_dotlist(unknown))
    trainer = Trainer.from_argparse_args(argparse.Namespace(**config.trainer))
    trainer.fit(made(config.model))
"""
NET = """
import torch
from torch import nn
import lightning as L

class Net(L.LightningModule):
    def __init__(self, rate):
        super().__init__()
        self.layer = nn.Linear(20, 3)
        self.rate = rate
    def training_step(self, batch, index):
        x, y = batch
        return nn.functional.cross_entropy(self.layer(x), y)
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate)
"""


def test_a_list_of_configs_and_a_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = "model:\n  target: nets.Net\n  params: {rate: 3e-4}\ntrainer: {max_epochs: 7, gradient_clip_val: 0.5}\n"
    found = reading(tmp_path, monkeypatch, {"main.py": FACTORY, "nets.py": NET, "configs/a.yaml": config}, "configs/a.yaml")
    assert told(found) == [(3e-4, 7)]
    assert [clip.value.value for clip in found.recipes[0].clipping] == [0.5]  # type: ignore[union-attr]


PARSER = """
import argparse, collections, json
import torch
from torch import nn
from functools import reduce
from operator import getitem
from pathlib import Path
from engine import run

def read_json(name):
    name = Path(name)
    with name.open("rt") as handle:
        return json.load(handle, object_hook=collections.OrderedDict)

class Config:
    def __init__(self, config, changes):
        self._config = config
        for key, value in changes.items():
            if value is not None:
                keys = key.split(";")
                reduce(getitem, keys[:-1], config)[keys[-1]] = value

    @classmethod
    def from_args(cls, args, options):
        for option in options:
            args.add_argument(*option.flags, default=None, type=option.type)
        args = args.parse_args()
        if args.resume is not None:
            path = Path(args.resume).parent / "config.json"
        else:
            path = Path(args.config)
        return cls(read_json(path), {option.target: getattr(args, option.flags[0].replace("--", "")) for option in options})

    def made(self, name, module, *args, **kwargs):
        given = dict(self[name]["args"])
        given.update(kwargs)
        return getattr(module, self[name]["type"])(*args, **given)

    def __getitem__(self, name):
        return self.config[name]

    @property
    def config(self):
        return self._config

if __name__ == "__main__":
    args = argparse.ArgumentParser()
    args.add_argument("-c", "--config", default=None, type=str)
    args.add_argument("-r", "--resume", default=None, type=str)
    Option = collections.namedtuple("Option", "flags type target")
    config = Config.from_args(args, [Option(["--lr"], type=float, target="optimizer;args;lr")])
    model = nn.Linear(20, 3)
    optimizer = config.made("optimizer", torch.optim, model.parameters())
    for epoch in range(config["epochs"]):
        nn.functional.cross_entropy(model(torch.randn(4, 20)), torch.zeros(4).long()).backward()
        optimizer.step()
        optimizer.zero_grad()
"""


@pytest.mark.parametrize("path", ["train.py", "config.json"])
def test_a_parser_class_over_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    config = '{"epochs": 6, "optimizer": {"type": "Adam", "args": {"lr": 0.001, "weight_decay": 0.1}}}'
    files = {"train.py": PARSER, "engine.py": TRAIN, "config.json": config, "README.md": "```\npython train.py -c config.json --lr 7\n```\n"}
    [recipe] = reading(tmp_path, monkeypatch, files, path).recipes
    [optimizer] = recipe.optimizers
    assert optimizer.name == "Adam"
    held = first(optimizer.settings["lr"])
    assert held is not None and held.value == 0.001
    assert optimizer.settings["weight_decay"].value == 0.1  # type: ignore[union-attr]
    assert [setting.name for setting in recipe.hyperparameters if not setting.read] == []


EXECUTED = """
from engine import run
lr = 0.1
epochs = 2
exec(open("configurator.py").read())
run(lr, epochs)
"""
CONFIGURATOR = """
import sys
for word in sys.argv[1:]:
    if "=" not in word:
        exec(open(word).read())
    else:
        key, text = word.split("=")
        globals()[key] = text
"""


def test_python_files_that_exec_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "train.py": EXECUTED,
        "engine.py": TRAIN,
        "configurator.py": CONFIGURATOR,
        "config/a.py": "# a comment\nlr = 3e-1\nepochs = 7\nname = 'x' # (more)\n",
        "README.md": "```\npython train.py config/a.py\n```\n",
    }
    assert told(reading(tmp_path, monkeypatch, files, "train.py")) == [(0.1, 2)]
    found = reading(tmp_path, monkeypatch, files, "config/a.py")
    assert told(found) == [(0.3, 7)]
    assert found.recipes[0].shown is None
    assert found.recipes[0].optimizers.items[0].settings["lr"].place.file == "config/a.py"  # type: ignore[union-attr]


def test_a_python_config_in_a_dict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from engine import run\nconfig = {}\nexec(open('settings.py').read(), config)\nrun(config['lr'], config['epochs'])\n"
    files = {"train.py": text, "engine.py": TRAIN, "settings.py": "lr = 0.4\nepochs = 3\n"}
    assert told(reading(tmp_path, monkeypatch, files, "train.py")) == [(0.4, 3)]


KEYS = """
import yaml
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

with open("config.yaml") as stream:
    config = yaml.safe_load(stream)
torch.manual_seed(config["seed"])
model = nn.Linear(20, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=config["optim"]["lr"]{more})
for epoch in range(config.get("epochs")):
    for x, y in DataLoader(TensorDataset(torch.randn(64, 20), torch.randint(0, 3, (64,))), batch_size=8, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
CONFIG = "name: first try\nseed: 1\nepochs: 3\noptim:\n  lr: 0.1\n  weight_decay: 0.3\n  grad_clip: 1.0\n"


@pytest.mark.parametrize(
    ("more", "config", "unread"),
    [
        ("", CONFIG, ["weight_decay", "grad_clip"]),  # names and notes stand in a config for its readers
        (', weight_decay=config["optim"]["weight_decay"]', CONFIG, ["grad_clip"]),
        (', **config["optim"]["rest"]', CONFIG, []),
        ("", CONFIG.replace("weight_decay: 0.3", "type: SGD"), []),  # arguments of what is built by its name
        ("", CONFIG.replace("grad_clip: 1.0", "grad_clip: null").replace("  weight_decay: 0.3\n", ""), []),
    ],
)
def test_training_keys_that_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, config: str, unread: list[str]) -> None:
    [recipe] = reading(tmp_path, monkeypatch, {"train.py": KEYS.replace("{more}", more), "config.yaml": config}, "train.py").recipes
    assert [setting.name for setting in recipe.hyperparameters if not setting.read] == unread
    assert all(setting.place.file == "config.yaml" for setting in recipe.hyperparameters)


@pytest.mark.parametrize(
    "text",
    ["prompts:\n  lr: is a word\n", "epoch_names: [a]\nlearning: {rate: 3}\n", "distributed_type: MULTI_GPU\nlr: 0.1\nepochs: 2\n"],
)
def test_a_file_that_sets_nothing_is_no_config_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    script = SCRIPT.replace("{option}", "default='configs/a.yaml'").replace('config["lr"]', 'config.get("lr", 0.1)').replace('config["epochs"]', "3")
    files = {"train.py": script, "engine.py": TRAIN, "configs/a.yaml": "lr: 0.1\n", "configs/other.yaml": text}
    assert not reading(tmp_path, monkeypatch, files, "configs/other.yaml").recipes


BUILT = """
import argparse
import pydoc

import torch
import yaml
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--config", required=True)
config = yaml.safe_load(open(parser.parse_args().config))
model = nn.Linear(20, 3)
optimizer = pydoc.locate(config["optim"].pop("type"))(model.parameters(), **config["optim"])
loader = DataLoader(TensorDataset(torch.randn(64, 20), torch.randint(0, 3, (64,))), batch_size=8)
trainer = pydoc.locate(config["trainer"])(model, optimizer, loader)
trainer.fit()
"""
TRAINER = """
from torch import nn

class Trainer:
    def __init__(self, model, optimizer, loader):
        self.model, self.optimizer, self.loader = model, optimizer, loader

    def fit(self):
        for epoch in range(5):
            for x, y in self.loader:
                self.optimizer.zero_grad()
                nn.functional.cross_entropy(self.model(x), y).backward()
                self.optimizer.step()
"""
BY_NAME = "optim:\n  type: torch.optim.SGD\n  lr: 0.1\ntrainer: engine.Trainer\n"


def test_all_is_shown_of_a_program_that_trains_with_its_only_config_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"train.py": BUILT, "engine.py": TRAINER, "config.yaml": BY_NAME}
    [alone, joined] = reading(tmp_path, monkeypatch, files, "train.py", "config.yaml").recipes
    assert (alone.trains, joined.trains, joined.shown) == (False, True, None)
    more = {**files, "other.yaml": BY_NAME.replace("0.1", "0.2")}  # what one of several says is no fault of the program
    found = reading(tmp_path, monkeypatch, more, "train.py", "config.yaml", "other.yaml").recipes
    assert [recipe.shown for recipe in found if recipe.trains] == [frozenset({"config.yaml"}), frozenset({"other.yaml"})]
    named = BUILT.replace('pydoc.locate(config["trainer"])', "Trainer").replace("import yaml", "import yaml\nfrom engine import Trainer")
    found = reading(tmp_path, monkeypatch, {**files, "train.py": named}, "train.py", "config.yaml").recipes
    assert [recipe.shown for recipe in found if "config.yaml" in recipe.files] == [frozenset({"config.yaml"})]
