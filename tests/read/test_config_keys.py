"""Keys of configs that a program reads: which of them count as asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

HEAD = """\
import copy
import json
import pprint

import torch
from torch import nn

with open("config.json") as file:
    given = json.load(file)
torch.manual_seed(0)
model = nn.Linear(4, 2)
"""
TAIL = """
for x, y in torch.utils.data.DataLoader([(torch.randn(4), 0)] * 64, batch_size=8, shuffle=True):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""
PLAIN = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)\n"
CONFIG = '{\n  "weight_decay": 0.1,\n  "optimizer": {\n    "params": {"lr": 0.1},\n    "milestones": [10, 20]\n  }\n}\n'
ALL = ["weight_decay", "lr", "milestones"]


def unread(folder: Path, files: dict[str, str], *passed: str) -> list[tuple[str, int, str]]:
    """(file, line, message) of every key that is told to be of no use."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    every = cards.load()
    result = lint(read([str(folder / name) for name in passed or ("train.py",)]), lambda file: Choice(every, {}), frozenset(every))
    return [(Path(f.place.file).name, f.place.line, f.message) for f in result.findings if f.rule == "setting-never-used"]


def told(name: str, line: int) -> tuple[str, int, str]:
    return ("config.json", line, f"the key {name} is given and never read: changing it changes nothing")


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("", ALL),
        ("print(given)\npprint.pprint(copy.deepcopy(given))\ntorch.save({'given': given}, 'given.pt')\n", ALL),  # shown and written, no more
        ("import somelib\nsomelib.start(given)\n", []),
        ("import somelib\nsomelib.start(options={'all': [given]})\n", []),
        ("import somelib\nsomelib.start(given['optimizer'])\n", ["weight_decay"]),  # only a part of it
        ("import somelib\nsomelib.Maker().build(given['optimizer']['params'])\n", ["weight_decay", "milestones"]),
        ("import somelib\nsomelib.start(given['optimizer']['milestones'])\n", ["weight_decay", "lr"]),
        ("from transformers import TrainingArguments\nTrainingArguments('out', deepspeed=copy.deepcopy(given))\n", []),
        ("import deepspeed\ndeepspeed.initialize(model=model, config=given)\n", []),
        ("import deepspeed\ndeepspeed.initialize(model=model, config='config.json')\n", []),  # read once more, by the library
        ("print(given['weight' + '_decay'])\n", ["lr", "milestones"]),
        ("print(given.get('weight' + '_decay', 0))\n", ["lr", "milestones"]),
        ("import sys\nprint(given[sys.argv[1]])\n", ["lr", "milestones"]),  # what is inside is asked for by other keys
        ("for name, one in given['optimizer'].items():\n    print(name, one)\n", ["weight_decay", "lr"]),
        ("print(list(given['optimizer'].keys()))\n", ALL),
    ],
)
def test_a_dict_that_is_handed_on_whole(tmp_path: Path, use: str, found: list[str]) -> None:
    lines = {"weight_decay": 2, "lr": 4, "milestones": 5}
    # Spelled keys count as read, so that only what the dict is handed to is asked about here.
    names = ""
    for number, name in enumerate(("optimizer", "params", "milestones")):
        use = use.replace(f"['{name}']", f"[PART_{number}]")
        names += f"PART_{number} = '{name[:4]}' + '{name[4:]}'\n"
    text = HEAD + names + use + PLAIN + TAIL
    assert unread(tmp_path, {"train.py": text, "config.json": CONFIG}) == [told(name, lines[name]) for name in found]


READS = 'import json\n\nprint(json.load(open("config.json"))["weight_decay"])\n'


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, ALL),
        ({"other.py": HEAD + PLAIN.replace("0.1", "given['optimizer']['params']['lr']") + TAIL}, ["weight_decay", "milestones"]),
        ({"tools/show.py": READS}, ["lr", "milestones"]),
        ({"other.py": READS.replace("config.json", "another.json")}, ALL),  # another program, with another config
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_a_config_of_several_programs(tmp_path: Path, files: dict[str, str], found: list[str], together: bool) -> None:
    lines = {"weight_decay": 2, "lr": 4, "milestones": 5}
    files = {"train.py": HEAD + PLAIN + TAIL, "config.json": CONFIG, **files}
    passed = [name for name in files if name.endswith(".py")] if together else ["train.py"]
    assert unread(tmp_path, files, *passed) == [told(name, lines[name]) for name in found]


@pytest.mark.parametrize("name", ["seed", "val_ratio", "validation_split", "time_mask_param", "mixup_alpha", "min_lr", "test_size"])
def test_what_a_run_depends_on_beside_its_rates(tmp_path: Path, name: str) -> None:
    files = {"train.py": HEAD + PLAIN + TAIL, "config.json": f'{{"{name}": 1, "split_name": 2, "seeds_seen": 3}}\n'}
    assert unread(tmp_path, files) == [told(name, 1)]
    assert unread(tmp_path, {**files, "train.py": HEAD + f"print(given['{name}'])\n" + PLAIN + TAIL}) == []


@pytest.mark.parametrize(("entries", "found"), [(3, ["weight_decay"]), (100, [])])
def test_what_a_run_has_written_down_is_no_config(tmp_path: Path, entries: int, found: list[str]) -> None:
    """A list of entries of which a config has some and a log has many."""
    log = json.dumps({"weight_decay": 0.1, "log_history": [{"step": step, "loss": 0.5} for step in range(entries)]}, indent=1)
    use = "print([entry['loss'] for entry in given['log_history']])\n"
    assert unread(tmp_path, {"train.py": HEAD + use + PLAIN + TAIL, "config.json": log}) == [told(name, 2) for name in found]


def test_what_makes_the_model_and_switches_count_and_notes_do_not(tmp_path: Path) -> None:
    config = '{\n  "hidden_size": 64,\n  "author": "me",\n  "freeze_backbone": true,\n  "seq_length": 12\n}\n'
    asked = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)\nprint(given['seq_length'])\n"
    assert unread(tmp_path, {"config.json": config, "train.py": HEAD + asked + TAIL}) == [told("hidden_size", 2), told("freeze_backbone", 4)]


COMMENTED = """\
spec:
  # Masks (not implemented yet)
  spec_augment: false
  time_mask_param: 20

  # Mixing (implemented by now)
  mixup_alpha: 0.4
seed: 1  # unused
warmup_epochs: 3
"""


def test_a_comment_says_that_a_key_is_of_no_use(tmp_path: Path) -> None:
    text = HEAD.replace("import json\n", "import yaml\n").replace("config.json", "config.yaml").replace("json.load", "yaml.safe_load")
    found = unread(tmp_path, {"train.py": text + PLAIN + TAIL, "config.yaml": COMMENTED})
    assert [(file, line) for file, line, _ in found] == [("config.yaml", 7), ("config.yaml", 9)]
