"""How a program is started: command lines of scripts and manuals, and what they give to its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import Known, candidates
from advisor.read import launch, read
from advisor.read.python.project import Project
from advisor.read.python.values import Opaque, Union, plain
from tests.read.tiny import run, setting_of

PARSER = """
import argparse
p = argparse.ArgumentParser()
p.add_argument('--lr', type=float, default=0.1)
p.add_argument('--wd', type=float)
p.add_argument('--epochs', type=int, default=10)
p.add_argument('--amp', action='store_true')
p.add_argument('--config')
args = p.parse_args()
lr, wd, epochs, amp, config = args.lr, args.wd, args.epochs, args.amp, args.config
"""


def lines(tmp_path: Path, files: dict[str, str], entry: str = "main.py") -> list[list[str | None]]:
    """The words of every command line that starts the entry."""
    for name, content in {entry: "", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return [[word.text for word in found.words] for found in launch.launches(Project(str(tmp_path)), str(tmp_path / entry))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("python main.py --lr 0.5", ["--lr", "0.5"]),
        ("CUDA_VISIBLE_DEVICES=0,1 python -u ./main.py --lr=0.5 > log.txt 2>&1 &", ["--lr=0.5"]),
        ("python main.py \\\n  --lr 0.5 \\\n  --name 'a b'  # a comment", ["--lr", "0.5", "--name", "a b"]),
        ("LR=0.5\nexport WD=${2:-1e-4}\npython main.py --lr $LR --wd ${WD}", ["--lr", "0.5", "--wd", "1e-4"]),
        ("for lr in 0.1 0.2; do\n  python main.py --lr $lr --wd 0\ndone", ["--lr", None, "--wd", "0"]),
        ("cd x && torchrun --nproc_per_node=4 main.py --lr 0.5; echo done", ["--lr", "0.5"]),
        ("python -m torch.distributed.launch --nproc_per_node 2 main.py --lr 0.5", ["--lr", "0.5"]),
        ("accelerate launch --mixed_precision fp16 main.py --lr 0.5 $@", ["--lr", "0.5"]),
        ("python -m main --lr 0.5", ["--lr", "0.5"]),
        ('FILE="c.yaml"\nCMD=("$PYTHON" main.py --config "$FILE")\n"${CMD[@]}"', ["--config", "c.yaml"]),
        (
            "CMD=(\n  torchrun --nproc_per_node 2 main.py\n  --lr 0.5  # a comment\n  --name 'a (b)'\n)\nCMD+=(--amp)\n${CMD[@]}",
            ["--lr", "0.5", "--name", "a (b)"],
        ),
        ('ARGS=(--lr 0.5\n --wd "$WD")\nNONE=()\npython main.py "${ARGS[@]}" --amp "${NONE[@]}"', ["--lr", "0.5", "--wd", None, "--amp"]),
        ("ARGS=(--lr 0.5)\nif true; then ARGS+=(--wd 1); fi\npython main.py ${ARGS[@]}", ["--lr", "0.5", None]),
        ("if a; then ARGS=(--lr 0.5); else\nARGS=(--lr 1)\nfi\nARGS=(--lr 2)\npython main.py ${ARGS[@]} --wd 0", [None, "--wd", "0"]),
        ("(cd src; python main.py --lr 0.5)\necho done", ["--lr", "0.5"]),
    ],
)
def test_shell(tmp_path: Path, text: str, words: list[str | None]) -> None:
    assert lines(tmp_path, {"run.sh": text}) == [words]


def test_what_is_no_training(tmp_path: Path) -> None:
    text = "python other.py --lr 1\npython main.py --eval --lr 2\npython main.py --mode test\necho main.py\n# python main.py --lr 3\n"
    assert lines(tmp_path, {"run.sh": text}) == []


@pytest.mark.parametrize("words", ["--train --test", "--do_train --do_eval", "--do-train --predict"])
def test_what_trains_and_does_more(tmp_path: Path, words: str) -> None:
    assert lines(tmp_path, {"run.sh": f"python main.py --lr 1 {words}\npython main.py --test"}) == [["--lr", "1", *words.split()]]


def test_makefiles_manuals_and_modules(tmp_path: Path) -> None:
    files = {
        "Makefile": "LR ?= 0.5\ntrain:\n\tpython src/pkg/main.py --lr $(LR)\n",
        "README.md": "# Use\n\nTo train run:\n\n```\n$ python src/pkg/main.py --config <yours> --lr 3\n```\nsee main.py for the rest\n",
        "scripts/a/go.sh": "python -m pkg.main --lr 0.7\n",
    }
    (tmp_path / "pyproject.toml").write_text("[project.scripts]\ngo = 'pkg.main:cli'\n")
    files["tools/installed.sh"] = "go --lr 0.9\n"
    found = lines(tmp_path, files, "src/pkg/main.py")
    assert found == [["--lr", "0.5"], ["--lr", "0.7"], ["--lr", "0.9"], ["--config", None, "--lr", "3"]]


def test_a_script_sets_what_it_agrees_on(tmp_path: Path) -> None:
    reader = run(tmp_path, PARSER, {"run.sh": "python main.py --lr 0.5 --epochs 1 --amp\npython main.py --lr 0.5 --wd 1e-4\n"})
    found = setting_of(reader, "lr")
    assert (found.value, found.weak) == (0.5, True)
    assert [(link.file, link.line, link.text) for link in found.origin] == [("run.sh", 1, "--lr 0.5")]
    assert setting_of(reader, "wd").value == 1e-4
    assert setting_of(reader, "epochs").value == 10  # scripts try programs out
    assert setting_of(reader, "amp").value is False


def test_the_default_length_goes_with_no_script_that_gives_another(tmp_path: Path) -> None:
    reader = run(tmp_path, PARSER, {"run.sh": "python main.py --lr 0.5 --epochs 100\npython main.py --lr 0.5 --epochs 200\n"})
    assert isinstance(reader.entry.namespace["epochs"], Opaque)
    assert setting_of(reader, "lr").value == 0.5


def test_scripts_that_differ_are_alternatives(tmp_path: Path) -> None:
    reader = run(tmp_path, PARSER, {"a.sh": "python main.py --lr 0.5\n", "b.sh": "python main.py --lr 0.2\npython main.py\n"})
    found = reader.entry.namespace["lr"]
    assert isinstance(found, Union)
    assert [plain(member) for member in found.members] == [0.1, 0.5, 0.2]


@pytest.mark.parametrize("manual", ["README.md", "get_started.md", "quickstart.rst"])
def test_a_manual_gives_config_files_only(tmp_path: Path, manual: str) -> None:
    reader = run(tmp_path, PARSER, {manual: "```\npython main.py --lr 0.5 --config c.yaml\n```\n", "c.yaml": "a: 1\n"})
    assert setting_of(reader, "lr").value == 0.1
    assert setting_of(reader, "config").value == "c.yaml"


MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import lightning as L
from dataclasses import dataclass

@dataclass
class Sizes:
    batch: int
    width: int = 4

class Body(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.layer = nn.Linear(20, width)
    def forward(self, x):
        return self.layer(x)

class Net(L.LightningModule):
    def __init__(self, body: nn.Module, lr: float = 1e-3):
        super().__init__()
        self.save_hyperparameters(ignore=["body"])
        self.body = body
    def training_step(self, batch, index):
        x, y = batch
        return nn.functional.cross_entropy(self.body(x), y)
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)

class Data(L.LightningDataModule):
    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
    def train_dataloader(self):
        return DataLoader(TensorDataset(torch.randn(64, 20), torch.randint(0, 3, (64,))), batch_size=self.sizes.batch, shuffle=True)
"""
CONFIG = """
seed_everything: 7
model:
  class_path: parts.Net
  init_args:
    lr: 5e-4
    body:
      class_path: parts.Body
      init_args: {width: 3}
data:
  class_path: parts.Data
  init_args:
    sizes: {batch: 16}
trainer:
  max_epochs: 5
  gradient_clip_val: 0.5
  callbacks:
  - class_path: lightning.pytorch.callbacks.EarlyStopping
    init_args: {monitor: val_loss, patience: 2}
"""
CLI = """
from lightning.pytorch.cli import LightningCLI

if __name__ == "__main__":
    cli = LightningCLI(run=False)
    cli.trainer.fit(cli.model, cli.datamodule)
"""


def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], *configs: str):  # type: ignore[no-untyped-def]
    """The recipe of train.py among these files."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    return read(["train.py"], configs=configs).recipes[0]


@pytest.mark.parametrize("how", ["only config", "named by a manual", "joined"])
def test_lightning_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    files = {"train.py": CLI, "parts.py": MODEL, "configs/a.yaml": CONFIG}
    if how != "only config":
        files["configs/b.yaml"] = CONFIG.replace("5e-4", "9e-4")
    if how == "named by a manual":
        files["README.md"] = "```\npython train.py -c configs/a.yaml\n```\n"
    found = recipe(tmp_path, monkeypatch, files, *(["configs/a.yaml"] if how == "joined" else []))
    optimizer = found.optimizers.items[0]
    assert (optimizer.name, optimizer.settings["lr"].value, optimizer.settings["lr"].place.line) == ("AdamW", 5e-4, 6)
    assert [clip.value.value for clip in found.clipping] == [0.5]
    assert [(seed.generators, seed.value.value) for seed in found.seeds] == [("framework", 7)]
    assert [loader.settings["batch_size"].value for loader in found.loaders] == [16]
    assert [stop.patience.value for stop in found.early_stopping] == [2]
    assert found.epochs == Known(5, found.epochs.origin, weak=True, place=found.epochs.place)
    assert found.modules.items and any(module.kind == "parts.Body" for module in found.modules)


def test_lightning_cli_with_several_configs_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"train.py": CLI, "parts.py": MODEL, "configs/a.yaml": CONFIG, "configs/b.yaml": CONFIG}
    found = recipe(tmp_path, monkeypatch, files)
    assert found.framework == "lightning"
    assert not found.optimizers.items and not found.optimizers.complete and not found.schedulers.complete and not found.clipping.complete


def test_lightning_cli_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Class arguments, links, defaults, flags of a script, optimizer and scheduler sections."""
    text = """
    import torch
    from torch import nn
    import lightning as L
    from lightning.pytorch.cli import LightningCLI
    from torch.utils.data import DataLoader, TensorDataset

    class Net(L.LightningModule):
        def __init__(self, width: int = 3, batch_size: int = 1):
            super().__init__()
            self.layer = nn.Linear(20, width)
            self.batch_size = batch_size
        def training_step(self, batch, index):
            x, y = batch
            return nn.functional.cross_entropy(self.layer(x), y)
        def train_dataloader(self):
            return DataLoader(TensorDataset(torch.randn(64, 20), torch.randint(0, 3, (64,))), batch_size=self.batch_size, shuffle=True)

    class CLI(LightningCLI):
        def add_arguments_to_parser(self, parser):
            parser.link_arguments("trainer.accumulate_grad_batches", "model.batch_size")
            parser.set_defaults({"trainer.accumulate_grad_batches": 4, "trainer.gradient_clip_val": 2.0})

    def main():
        CLI(Net, seed_everything_default=11, save_config_callback=None)

    main()
    """
    import textwrap

    config = "fit:\n  optimizer:\n    class_path: torch.optim.SGD\n    init_args: {lr: 0.3, momentum: 0.9}\n"
    config += "  lr_scheduler:\n    class_path: torch.optim.lr_scheduler.StepLR\n    init_args: {step_size: 4}\n"
    files = {
        "train.py": textwrap.dedent(text),
        "c.yaml": config,
        "run.sh": "python train.py fit --config c.yaml --trainer.max_epochs 8 --optimizer.init_args.lr=0.2\npython train.py test --config c.yaml\n",
    }
    found = recipe(tmp_path, monkeypatch, files)
    optimizer = found.optimizers.items[0]
    assert (optimizer.name, optimizer.settings["lr"].value, optimizer.settings["momentum"].value) == ("SGD", 0.2, 0.9)
    assert [(s.name, s.settings["step_size"].value, s.stepped) for s in found.schedulers] == [("StepLR", 4, "epoch")]
    assert [clip.value.value for clip in found.clipping] == [2.0]
    assert [loader.settings["batch_size"].value for loader in found.loaders] == [4]
    assert found.epochs.value == 8
    assert found.seeds.items[0].value.value == 11


TRL = """
import torch
from dataclasses import dataclass, field
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments, HfArgumentParser
{imports}

@dataclass
class Own:
    rank: int = 8

@dataclass
class Arguments(TrainingArguments):
    learning_rate: float = field(default=1e-3)
    max_grad_norm: float = 0.7

def main():
    parser = {parser}((Own, Arguments))
    {parse}
    model = AutoModelForCausalLM.from_pretrained("gpt2")
    trainer = Trainer(model=model, args=args, train_dataset=data())
    trainer.train()
    return own.rank

if __name__ == "__main__":
    main()
"""
YAML = "learning_rate: 5.0e-5\nnum_train_epochs: 2\nper_device_train_batch_size: 4\nlr_scheduler_type: cosine\nrank: 3\nweight_decay: 0.1\n"
PLAIN = {"imports": "import sys", "parser": "HfArgumentParser"}


@pytest.mark.parametrize("way", ["yaml file", "json file", "flags", "trl", "trl of a manual", "joined"])
def test_transformers_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    import json

    files = {"c.yaml": YAML}
    values = {"learning_rate": 5e-5, "num_train_epochs": 2, "per_device_train_batch_size": 4, "lr_scheduler_type": "cosine", "weight_decay": 0.1}
    if way == "yaml file":
        text = TRL.format(parse="own, args = parser.parse_yaml_file('c.yaml')", **PLAIN)
    elif way == "json file":
        parse = "own, args = parser.parse_json_file(sys.argv[1]) if len(sys.argv) == 2 else parser.parse_args_into_dataclasses()"
        text = TRL.format(parse=parse, **PLAIN)
        files |= {"a.json": json.dumps(values), "run.sh": "python train.py a.json\n"}
    elif way == "flags":
        text = TRL.format(parse="own, args = parser.parse_args_into_dataclasses()", **PLAIN)
        flags = "--learning_rate 5e-5 --per-device-train-batch-size=4 --lr_scheduler_type cosine --rank 3 --weight_decay 0.1 --bf16 True"
        files["run.sh"] = f"deepspeed --num_gpus 2 train.py {flags}\n"
    else:
        parse = "own, args = parser.parse_args_and_config()"
        text = TRL.format(imports="from trl import TrlParser", parser="TrlParser", parse=parse)
        if way == "trl of a manual":
            files["README.md"] = "```\naccelerate launch train.py --config c.yaml --rank 9\n```\n"
        elif way == "trl":
            files["run.sh"] = "accelerate launch train.py --config c.yaml\n"
    found = recipe(tmp_path, monkeypatch, {"train.py": text, **files}, *(["c.yaml"] if way == "joined" else []))
    [optimizer] = found.optimizers
    assert (optimizer.settings["lr"].value, optimizer.settings["weight_decay"].value) == (5e-5, 0.1)
    assert (optimizer.kind, [known.value for known in candidates(optimizer.spelled)]) == ("torch.optim.AdamW", ["adamw_torch_fused", "adamw_torch"])
    assert [(s.name, s.settings["warmup_ratio"].value) for s in found.schedulers] == [("cosine", 0.0)]
    assert [loader.settings["batch_size"].value for loader in found.loaders] == [4]
    assert [clip.value.value for clip in found.clipping] == [0.7]
    assert getattr(found.epochs, "value", None) == (3.0 if way == "flags" else 2)


CHOSEN = """
import argparse
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Base(pl.LightningModule):
    def __init__(self, **options):
        super().__init__()
        self.layer = nn.Linear(8, 3)
    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

class Own(Base):
    def __init__(self, lr=0.5, **options):
        super().__init__()
        self.lr = lr
    @staticmethod
    def add_options(parser):
        parser.add_argument("--lr", type=float, default=0.5)
        return parser
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)

def chosen(name):
    if name == "base":
        return Base
    elif name == "own":
        return Own

parser = argparse.ArgumentParser()
parser.add_argument("--module_name", default="base")
first, _ = parser.parse_known_args()
kind = chosen(first.module_name)
parser = pl.Trainer.add_argparse_args(parser)
parser = kind.add_options(parser)
args = parser.parse_args()
loader = DataLoader(TensorDataset(torch.randn(64, 8), torch.randint(0, 3, (64,))), batch_size=8, shuffle=True)
pl.Trainer.from_argparse_args(args).fit(kind(**vars(args)), loader)
"""


@pytest.mark.parametrize("more", ["--gradient_clip_val 0.5", "--train --test"])
def test_a_script_chooses_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    script = f"python train.py --module own --lr 0.01 --max_epochs 7 {more}\n"
    found = recipe(tmp_path, monkeypatch, {"train.py": CHOSEN, "run.sh": script})
    assert [(optimizer.name, optimizer.settings["lr"].value) for optimizer in found.optimizers] == [("Adam", 0.01)]
    assert found.epochs.value == 7
    assert [clip.value.value for clip in found.clipping] == ([0.5] if "clip" in more else [])


def test_a_method_that_one_of_the_classes_lacks_is_that_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = recipe(tmp_path, monkeypatch, {"train.py": CHOSEN.replace('default="base"', "")})
    assert [optimizer.settings["lr"].value for optimizer in found.optimizers if optimizer.name == "Adam"] == [0.5]
