"""Settings that come from a command line: defaults, their provenance, and what stays open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read
from advisor.read.python.values import Constant, Opaque, Sequence, Union, members, plain
from tests.conftest import Advisor
from tests.read.tiny import UNKNOWN, run, setting_of, value

PARSER = """
import argparse
p = argparse.ArgumentParser()
"""

ARGPARSE: list[tuple[str, str, Any]] = [
    ("p.add_argument('--lr', type=float, default=0.1)", "lr", 0.1),
    ("p.add_argument('-l', '--learning-rate', type=float, default=0.1)", "learning_rate", 0.1),
    ("p.add_argument('--lr', dest='rate', default=0.1)", "rate", 0.1),
    ("p.add_argument('--lr', type=float, default='1e-3')", "lr", 1e-3),
    ("p.add_argument('--lr', type=float)", "lr", None),
    ("p.add_argument('--lr', type=float, required=True)", "lr", UNKNOWN),
    ("p.add_argument('--lr', type=float, required=True, default=0.1)", "lr", UNKNOWN),
    ("p.add_argument('--amp', action='store_true')", "amp", False),
    ("p.add_argument('--no-amp', action='store_false', dest='amp')", "amp", True),
    ("p.add_argument('--amp', action=argparse.BooleanOptionalAction, default=True)", "amp", True),
    ("p.add_argument('--mode', action='store_const', const=3, default=1)", "mode", 1),
    ("p.add_argument('--mode', action='store_const', const=3)", "mode", None),
    ("p.add_argument('data')", "data", UNKNOWN),
    ("p.add_argument('data', nargs='?', default='x')", "data", "x"),
    ("p.add_argument('--ks', nargs='+', type=int, default=[1, 2])", "ks", [1, 2]),
    ("p.add_argument('--ks', type=lambda s: [int(v) for v in s.split(',')], default='1,2')", "ks", [1, 2]),
    ("p.add_argument('--flag', type=lambda s: s.lower() == 'true', default='true')", "flag", True),
    ("def b(v):\n    return v.lower() in ('yes', 'true')\np.add_argument('--flag', type=b, default=False)", "flag", False),
    ("g = p.add_argument_group('g')\ng.add_argument('--lr', default=0.1)", "lr", 0.1),
    ("g = p.add_mutually_exclusive_group()\ng.add_argument('--lr', default=0.1)", "lr", 0.1),
    ("p.add_argument('--lr', default=0.1)\np.set_defaults(lr=0.2)", "lr", 0.2),
    ("for k, v in {'lr': 0.1, 'wd': 0.2}.items():\n    p.add_argument(f'--{k}', type=type(v), default=v)", "wd", 0.2),
    ("q = argparse.ArgumentParser(add_help=False)\nq.add_argument('--lr', default=0.1)\np = argparse.ArgumentParser(parents=[q])", "lr", 0.1),
    ("s = p.add_subparsers(dest='cmd')\nt = s.add_parser('train')\nt.add_argument('--lr', default=0.1)", "lr", 0.1),
    ("def add(p):\n    p.add_argument('--lr', default=0.1)\n    return p\np = add(p)", "lr", 0.1),
    ("p.add_argument('--lr', default=argparse.SUPPRESS)", "lr", UNKNOWN),
    ("p.add_argument('--v', action='count', default=0)", "v", 0),
    ("p.add_argument('--v', action='append', default=[])", "v", []),
    ("p.add_argument('--opt', choices=['a', 'b'], default='a')", "opt", "a"),
]


@pytest.mark.parametrize(("text", "attribute", "expected"), ARGPARSE, ids=[text[-60:] for text, _, _ in ARGPARSE])
def test_argparse_default(tmp_path: Path, text: str, attribute: str, expected: Any) -> None:
    found = plain(value(tmp_path, f"{PARSER}{text}\nargs = p.parse_args()\nx = args.{attribute}"))
    assert found is Opaque if expected is UNKNOWN else found == expected


def test_argparse_provenance(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{PARSER}p.add_argument(\n  '--lr',\n  default=0.1)\nargs = p.parse_args()\n\nx = args.lr")
    found = setting_of(reader, "x")
    assert found.weak
    assert found.place is not None
    assert (found.place.line, found.place.column) == (6, 11)
    assert [(link.line, link.text) for link in found.origin] == [(6, "--lr default")]


def test_argparse_literal_arguments(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"{PARSER}p.add_argument('--lr', type=float, default=0.1)\np.add_argument('-b', type=int, default=1)\n"
        "p.add_argument('--ks', nargs='+', type=int)\n"
        "p.add_argument('--amp', action='store_true')\nargs, rest = p.parse_known_args(['--lr=0.5', '-b', '8', '--ks', '1', '2', '--amp'])\n"
        "x = (args.lr, args.b, args.ks, args.amp)",
    )
    assert plain(reader.entry.namespace["x"]) == (0.5, 8, [1, 2], True)
    assert not setting_of(reader, "x").weak


def test_argparse_shell_arguments(tmp_path: Path) -> None:
    text = f"{PARSER}p.add_argument('--lr', type=float, default=0.1)\nargs = p.parse_args()\nx = args.lr"
    assert plain(run(tmp_path, text, words=["--lr", "0.7"]).entry.namespace["x"]) == 0.7


def test_argparse_namespace_is_an_object(tmp_path: Path) -> None:
    text = f"{PARSER}p.add_argument('--lr', default=0.1)\nargs = p.parse_args()\nargs.lr = 0.3\nargs.new = 4\n"
    assert plain(value(tmp_path, text + "x = (vars(args)['lr'], args.new)")) == (0.3, 4)
    assert plain(value(tmp_path, text + "x = getattr(args, 'other', 9)")) == 9
    assert plain(value(tmp_path, text + "x = args.other")) is Opaque
    assert plain(value(tmp_path, text + "vars(args).update({'lr': 5})\nx = args.lr")) == 5
    assert plain(value(tmp_path, text + "def f(lr, **k): return lr\nx = f(**vars(args))")) == 0.3
    assert plain(value(tmp_path, text + "for k, v in {'lr': 7}.items():\n    setattr(args, k, v)\nx = args.lr")) == 7
    assert plain(value(tmp_path, text + "x = argparse.Namespace(**{**vars(args), 'lr': 1}).lr")) == 1


def test_a_weak_flag_keeps_both_arms(tmp_path: Path) -> None:
    text = f"{PARSER}p.add_argument('--opt', default='adam')\nargs = p.parse_args()\nif args.opt == 'sgd':\n    x = 1\nelse:\n    x = 2"
    found = value(tmp_path, text)
    assert isinstance(found, Union)
    assert [plain(member) for member in found.members] == [2, 1]


FILLED = """
    from dataclasses import dataclass, field
    from typing import Optional
    {first}
    @dataclass
    class Inner:
        rate: float
        seed: Optional[int] = None
        given: str = "no"
        def __post_init__(self):
            if self.seed is not None:
                self.given = "yes"
    @dataclass
    class Options:
        seed: Optional[int] = None
        fixed: Optional[int] = field(init=False, default=None)
        given: str = "no"
        told: str = "no"
        inner: Inner = field(default_factory=lambda: Inner(0.5))
        def __post_init__(self):
            if self.seed is not None:
                self.given = "yes"
            if self.fixed is not None:
                self.told = "yes"
    {fill}
    x = (a.given, a.told, a.inner.given, a.inner.rate)
"""
FILLING = [
    ("import tyro", "a = tyro.cli(Options)"),
    ("from simple_parsing import ArgumentParser", "p = ArgumentParser()\n    p.add_arguments(Options, dest='a')\n    a = p.parse_args().a"),
    ("from transformers import HfArgumentParser", "a, = HfArgumentParser(Options).parse_args_into_dataclasses()"),
]


@pytest.mark.parametrize(("first", "fill"), FILLING, ids=[first for first, _ in FILLING])
def test_what_follows_from_options_that_a_flag_may_set(tmp_path: Path, first: str, fill: str) -> None:
    found = value(tmp_path, FILLED.format(first=first, fill=fill))
    assert isinstance(found, Sequence)
    assert [[plain(one) for one in members(item)] for item in found.items] == [["no", "yes"], ["no"], ["no", "yes"], [0.5]]
    assert [plain(item) for item in value(tmp_path, FILLED.format(first="", fill="a = Options()")).items] == ["no", "no", "no", 0.5]  # type: ignore[attr-defined]


AFTERWARDS = """
    import sys
    from dataclasses import dataclass
    from transformers import HfArgumentParser, TrainingArguments

    @dataclass
    class A:
        rate: float
        seed: int = None
        given: str = "no"

        def __post_init__(self):
            if self.seed is not None:
                self.given, self.seed = "yes", self.seed + 1

    parser = HfArgumentParser((A, TrainingArguments))
    a, t = {parse}
    x = (a.rate, a.seed, a.given, t.weight_decay)
"""
GIVEN = ["parser.parse_yaml_file('run.yaml')", "parser.parse_dict({'rate': 0.5, 'seed': 3, 'weight_decay': 0.1})"]


@pytest.mark.parametrize("parse", GIVEN)
def test_what_a_file_gives_is_there_before_post_init_runs(tmp_path: Path, parse: str) -> None:
    found = value(tmp_path, AFTERWARDS.format(parse=parse), {"run.yaml": "rate: 0.5\nseed: 3\nweight_decay: 0.1\n"})
    assert [plain(one) for one in found.items] == [0.5, 4, "yes", 0.1]  # type: ignore[attr-defined]


def test_what_a_script_gives_is_there_before_post_init_runs(tmp_path: Path) -> None:
    files = {"run.sh": "python main.py --rate 0.5 --seed 3 --weight_decay 0.1\n"}
    found = value(tmp_path, AFTERWARDS.format(parse="parser.parse_args_into_dataclasses()"), files)
    assert [[plain(one) for one in members(item)] for item in found.items] == [[0.5], [4, 3], ["yes", "no"], [0.1]]  # type: ignore[attr-defined]


def test_tap_processes_what_was_given(tmp_path: Path) -> None:
    text = """
        from tap import Tap
        class A(Tap):
            seed: int = None
            given: str = "no"
            def process_args(self):
                if self.seed is not None:
                    self.given = "yes"
        x = A().parse_args().given
    """
    assert [plain(one) for one in members(value(tmp_path, text))] == ["no", "yes"]


PROGRAMS = {
    "click": """
        import click
        @click.command()
        @click.option('--lr', default=0.1)
        @click.option('--amp/--no-amp', default=True)
        @click.option('-b', '--batch-size', 'size', default=8)
        def main(lr, amp, size):
            global x
            x = (lr, amp, size)
        main()
    """,
    "click 2": """
        import click
        @click.group()
        @click.pass_context
        def cli(ctx):
            pass
        @cli.command()
        @click.option('--lr', default='0.1', type=float)
        @click.option('--amp', is_flag=True, default=True)
        @click.option('--size', default=8, show_default=True)
        @click.pass_context
        def train(ctx, lr, amp, size):
            global x
            x = (lr, amp, size)
        cli()
    """,
    "typer": """
        import typer
        app = typer.Typer()
        @app.command()
        def main(lr: float = 0.1, amp: bool = typer.Option(True), size: int = typer.Option(8, '--b')):
            global x
            x = (lr, amp, size)
        app()
    """,
    "typer 2": """
        import typer
        def main(lr: float = 0.1, amp: bool = True, size: int = 8):
            global x
            x = (lr, amp, size)
        typer.run(main)
    """,
    "fire": """
        import fire
        def main(lr=0.1, amp=True, size=8):
            global x
            x = (lr, amp, size)
        fire.Fire(main)
    """,
    "fire 2": """
        import fire
        class T:
            def __init__(self, lr=0.1):
                self.lr = lr
            def train(self, amp=True, size=8):
                global x
                x = (self.lr, amp, size)
        fire.Fire(T)
    """,
    "tyro": """
        import tyro
        from dataclasses import dataclass
        @dataclass
        class A:
            lr: float = 0.1
            amp: bool = True
            size: int = 8
        a = tyro.cli(A)
        x = (a.lr, a.amp, a.size)
    """,
    "simple_parsing": """
        from simple_parsing import ArgumentParser
        from dataclasses import dataclass
        @dataclass
        class A:
            lr: float = 0.1
            amp: bool = True
            size: int = 8
        p = ArgumentParser()
        p.add_arguments(A, dest='a')
        a = p.parse_args().a
        x = (a.lr, a.amp, a.size)
    """,
    "tap": """
        from tap import Tap
        class A(Tap):
            lr: float = 0.1
            amp: bool = True
            size: int = 8
        a = A().parse_args()
        x = (a.lr, a.amp, a.size)
    """,
    "absl": """
        from absl import app, flags
        F = flags.FLAGS
        flags.DEFINE_float('lr', 0.1, '')
        flags.DEFINE_bool('amp', True, '')
        flags.DEFINE_integer('size', 8, '')
        def main(_):
            global x
            x = (F.lr, F.amp, F.size)
        app.run(main)
    """,
    "transformers": """
        from transformers import HfArgumentParser
        from dataclasses import dataclass, field
        @dataclass
        class A:
            lr: float = field(default=0.1)
            amp: bool = True
            size: int = 8
        a, = HfArgumentParser(A).parse_args_into_dataclasses()
        x = (a.lr, a.amp, a.size)
    """,
    "pydantic_settings": """
        from pydantic_settings import BaseSettings
        class A(BaseSettings):
            lr: float = 0.1
            amp: bool = True
            size: int = 8
        a = A()
        x = (a.lr, a.amp, a.size)
    """,
    "sacred": """
        from sacred import Experiment
        ex = Experiment('e')
        @ex.config
        def c():
            lr = 0.1
            amp = True
            size = 8
        @ex.automain
        def main(lr, amp, size):
            global x
            x = (lr, amp, size)
    """,
    "wandb": """
        import wandb
        run = wandb.init(config={'lr': 0.1, 'amp': True, 'size': 8})
        c = wandb.config
        x = (c.lr, c['amp'], run.config.size)
    """,
    "hydra": """
        from hydra import main as m
        from hydra.core.config_store import ConfigStore
        from dataclasses import dataclass
        @dataclass
        class A:
            lr: float = 0.1
            amp: bool = True
            size: int = 8
        ConfigStore.instance().store(name='config', node=A)
        @m(config_path=None, config_name='config')
        def main(cfg):
            global x
            x = (cfg.lr, cfg.amp, cfg.size)
        main()
    """,
}


@pytest.mark.parametrize("library", PROGRAMS)
def test_command_line(tmp_path: Path, library: str) -> None:
    found = value(tmp_path, PROGRAMS[library])
    assert plain(found) == (0.1, True, 8)
    assert isinstance(found, Sequence)
    for item in found.items:
        assert isinstance(item, Constant)
        assert item.weak


def test_options_made_of_a_dict_of_defaults(tmp_path: Path) -> None:
    many = ", ".join(f"o{number}={number}" for number in range(40))
    text = (
        f"import argparse\ndefaults = dict({many})\ndefaults.update(lr=0.5)\nparser = argparse.ArgumentParser()\n"
        "for name, default in defaults.items():\n    kind = type(default)\n    if default is None:\n        kind = str\n"
        "    parser.add_argument(f'--{name}', default=default, type=kind)\nx = parser.parse_args().lr"
    )
    found = value(tmp_path, text)
    assert isinstance(found, Constant)
    assert (found.value, found.weak) == (0.5, True)


SCORES = """
import argparse

parser = argparse.ArgumentParser(description="compares two folders of pictures")
parser.add_argument("--dims", type=int, default=2048)
"""
TRAINED = """
import argparse

import torch
import scores

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--unused", type=int, default=5)
args = parser.parse_args()
torch.manual_seed(0)
model = torch.nn.Linear(20, 3)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
x, y = torch.load("features.pt")
for _ in range(args.epochs):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("more", "told"), [("", ["unused"]), ("options = parser.parse_args()\n", ["dims", "unused"])])
def test_nobody_can_give_the_options_of_a_parser_that_nothing_parses_with(tmp_path: Path, more: str, told: list[str]) -> None:
    (tmp_path / "scores.py").write_text(SCORES + more)
    (tmp_path / "train.py").write_text(TRAINED)
    every = cards.load()
    result = lint(read([str(tmp_path / "train.py")]), lambda file: Choice(every, {}), frozenset(every))
    assert sorted(f.message.split()[2] for f in result.findings if f.rule == "setting-never-used") == told


def test_options_that_a_function_is_given_which_is_not_there_are_not_unread(advisor: Advisor) -> None:
    Path("batches.py").write_text("def others_of(args): return []\n")
    Path("train.py").write_text(
        "import argparse\nimport torch\nfrom torch import nn\nfrom batches import batches_of\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--annotations', default='train.csv')\n"
        "args = parser.parse_args()\ntorch.manual_seed(0)\nmodel = nn.Linear(20, 3)\n"
        "optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n"
        "for epoch in range(10):\n    for x, y in batches_of(args):\n        optimizer.zero_grad()\n"
        "        nn.functional.cross_entropy(model(x), y).backward()\n        optimizer.step()\n"
    )
    ran = advisor("lint", "train.py", "--isolated", "--no-cache", "--format", "concise")
    assert [line.split("[")[1].split("]")[0] for line in ran.out.splitlines() if "[" in line] == ["undefined-name"], ran.out


OPTIONS = """\
import argparse


def given():
    parser = argparse.ArgumentParser()
    parser.add_argument("--channels", type=int, default=3)
    return parser.parse_args()
"""

PINNED = """\
import torch
from options import given

args = given()
{write}
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d({use}, 8, 3), torch.nn.Flatten(), torch.nn.LazyLinear(2))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
x, y = torch.load("features.pt")
for _ in range(30):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
"""
IN_TURN = "def train(name):\n    if name in ('a', 'b'):\n        args.channels = 1\nfor name in ['a', 'b', 'c']:\n    train(name)"


@pytest.mark.parametrize(
    ("write", "use", "other", "told"),
    [
        ("args.channels = 1", "args.channels", "", [("train.py", "becomes")]),
        ("args.channels = 1", "args.channels", "import torch\n\nprint(args.channels)\n", [("train.py", "becomes")]),  # it has other options
        ("args.channels = 1", "args.channels", "from options import given\n\nprint(given().channels)\n", []),  # where the option acts
        ("args.channels = 1", "args.channels", "from options import given\n\nargs = given()\nargs.channels = 1\n", [("train.py", "pinned")]),
        ("args.channels = 1", "1", "", [("options.py", "declared")]),  # which nobody asks for: one finding
        (IN_TURN, "args.channels", "", []),  # for some of the names
        ("def main():\n    args.channels = 1\nmain()", "args.channels", "", [("train.py", "becomes")]),
    ],
)
def test_an_option_that_becomes_another_number(tmp_path: Path, write: str, use: str, other: str, told: list[tuple[str, str]]) -> None:
    files = {"options.py": OPTIONS, "train.py": PINNED.format(write=write, use=use), "other.py": other}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    every = cards.load()
    result = lint(read([str(tmp_path / "train.py")]), lambda file: Choice(every, {}), frozenset(every), severity="hint")
    found = [f for f in result.findings if f.rule == "setting-never-used"]
    words = ["pinned" if f.severity == "hint" else next(word for word in ("becomes", "declared") if word in f.message) for f in found]
    assert list(zip((Path(f.place.file).name for f in found), words)) == told


LACKS = "import argparse, torch\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=0.1)\n"
LACKING = {  # how the options come about, and how many of those that are asked for are told of
    "args = parser.parse_args()\n": 2,
    "args, _ = parser.parse_known_args()\n": 2,
    "args = parser.parse_args()\nargs.width = 3\n": 1,
    "args = parser.parse_args()\nfor key, value in torch.load('o.pt').items(): setattr(args, key, value)\n": 0,
    "args = parser.parse_args()\nvars(args).update(torch.load('o.pt'))\n": 0,
    "import lab\nargs = lab.filled(parser.parse_args())\n": 0,
    "import lab\nargs = parser.parse_args()\nlab.fill(args)\n": 0,
    "import lab\nlab.declare(parser)\nargs = parser.parse_args()\n": 0,
    "parser.set_defaults(width=3, depth=2)\nargs = parser.parse_args()\n": 0,
    "parser.set_defaults(**torch.load('o.pt'))\nargs = parser.parse_args()\n": 0,
    "class Own(argparse.ArgumentParser): pass\nparser = Own()\nargs = parser.parse_args()\n": 0,
}


@pytest.mark.parametrize(("made", "count"), LACKING.items())
def test_options_that_no_parser_declares(tmp_path: Path, made: str, count: int) -> None:
    rest = PINNED[PINNED.index("torch.manual_seed") :].format(use="args.width").replace("range(30)", "range(args.depth)")
    (tmp_path / "train.py").write_text(LACKS + made + rest)
    every = cards.load()
    result = lint(read([str(tmp_path / "train.py")]), lambda file: Choice(every, {}), frozenset(every))
    told = [f.message for f in result.findings if f.rule == "undefined-name"]
    names = [name for name in ("width", "depth") if any(name in message for message in told)]
    assert len(names) == count and len(told) == min(count, 1)
