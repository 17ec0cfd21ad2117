"""Options that a script gives and the program's parser refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.read import read

PARSER = """\
import argparse
import sys

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", "--bs", type=int, default=32)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--amp", action=argparse.BooleanOptionalAction, default=True)
PARSE
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=args.lr)
"""
FIELDS = """\
from dataclasses import dataclass
from transformers import HfArgumentParser, Seq2SeqTrainingArguments

@dataclass
class Data:
    name: str = "imdb"

data, training = HfArgumentParser((Data, Seq2SeqTrainingArguments)).PARSE
"""


def found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], entry: str = "main.py"
) -> list[tuple[str, int, str, tuple[str, ...]]]:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    keys = [key for key in read([entry]).recipes[0].unknown_keys if key.by == "command line"]
    return [(key.place.file, key.place.line, key.name, key.more) for key in keys]


@pytest.mark.parametrize(
    ("script", "refused"),
    [
        ("python main.py --lr 0.5 --warmup 3", [("run.sh", 1, "warmup", ())]),
        ("cd ..\npython main.py --lr 0.5 \\\n  --warmup=3", [("run.sh", 3, "warmup", ())]),
        ("for lr in 1 2; do\n  python main.py --lr $lr --bs 8 --warmup 3 --decay 4\ndone", [("run.sh", 2, "warmup", ("decay",))]),
        ("python main.py --lr 0.5 --warmup 3\npython main.py --lr 0.1 --warmup 2", [("run.sh", 1, "warmup", ())]),  # told once
        ("python main.py --lr 0.5 --batch 8 --bs 3 --no-amp --help", []),  # shortened, and what argparse adds
        ("python main.py --lr 0.5 -- --warmup 3", []),
        ("python main.py --lr 0.5 '--warmup 3'", []),
        ("cd other\npython main.py --lr 0.5 --warmup 3", []),
        ("python $HERE/main.py --lr 0.5 --warmup 3", []),
        ("python main.py --epochs 5 --warmup 3 --lr 0.5", []),  # more is unknown than known: of another program
        ("# python main.py --lr 0.5 --warmup 3", []),
        ("echo 'python main.py --lr 0.5 --warmup 3'", []),
    ],
)
def test_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, refused: list[object]) -> None:
    files = {"main.py": PARSER.replace("PARSE", "args = parser.parse_args()"), "run.sh": script}
    assert found(tmp_path, monkeypatch, files) == refused


@pytest.mark.parametrize(
    "parse",
    [
        "args, rest = parser.parse_known_args()",
        "args = parser.parse_args(sys.argv[2:])",
        "sys.argv.remove('--warmup')\nargs = parser.parse_args()",
        "sys.argv = sys.argv[:3]\nargs = parser.parse_args()",
        "parser.add_argument('rest', nargs=argparse.REMAINDER)\nargs = parser.parse_args()",
        "for name in open('names.txt'):\n    parser.add_argument(f'--{name}')\nargs = parser.parse_args()",
        "for name, value in {'warmup': 3}.items():\n    parser.add_argument('--' + name, default=value)\nargs = parser.parse_args()",
        "import mylab\nmylab.add_options(parser)\nargs = parser.parse_args()",
        "from argparse import *\nparser.add_subparsers().add_parser('fit').add_argument('--warmup')\nargs = parser.parse_args()",
        "try:\n    args = parser.parse_args()\nexcept SystemExit:\n    raise",
        "if parser.get_default('lr') > float(input()):\n    args = parser.parse_args()\nelse:\n    args = argparse.Namespace(lr=1)",
    ],
)
def test_what_may_take_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parse: str) -> None:
    files = {"main.py": PARSER.replace("PARSE", parse), "run.sh": "python main.py --lr 0.5 --bs 3 --warmup 3"}
    assert found(tmp_path, monkeypatch, files) == []


def test_of_several_programs_the_one_that_the_script_stands_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, line = PARSER.replace("PARSE", "args = parser.parse_args()"), "python main.py --lr 0.5 --warmup 3"
    files = {"main.py": text, "other/main.py": text, "scripts/run.sh": line, "README.md": f"```\n{line}\n```\n", "pyproject.toml": ""}
    assert found(tmp_path, monkeypatch, files) == [("scripts/run.sh", 1, "warmup", ())]
    assert found(tmp_path, monkeypatch, files, "other/main.py") == []
    (tmp_path / "scripts" / "main.py").write_text(text)
    assert found(tmp_path, monkeypatch, {}) == []


@pytest.mark.parametrize(
    ("parse", "words", "refused"),
    [
        ("parse_args_into_dataclasses()", "--name a --predict-with-generate --patience 3", [("run.sh", 1, "patience", ())]),
        ("parse_args_into_dataclasses()", "--name a --learning_rate 1e-4 --evaluation_strategy epoch --no_fp16", []),
        ("parse_args_into_dataclasses(return_remaining_strings=True)[:2]", "--name a --learning_rate 1e-4 --patience 3", []),
        ("parse_args_into_dataclasses(args=['--name', 'a'])", "--name a --learning_rate 1e-4 --patience 3", []),
    ],
)
def test_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parse: str, words: str, refused: list[object]) -> None:
    assert found(tmp_path, monkeypatch, {"main.py": FIELDS.replace("PARSE", parse), "run.sh": f"python main.py {words}"}) == refused
