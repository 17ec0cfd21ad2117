"""What the library tables make of tiny programs: values, their provenance, and what stays unknown."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from advisor.model.source import Known
from advisor.read.python import imports
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Opaque, Union, Value, members, plain


def run(tmp_path: Path, text: str, files: dict[str, str] | None = None) -> Reader:
    """Executes a program abstractly."""
    for name, content in {"main.py": text, **(files or {})}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "main.py"))
    assert isinstance(source, SourceModule)
    reader = Reader(project, source)
    imports.run_module(reader, reader.entry, main=True)
    return reader


def value(tmp_path: Path, text: str, files: dict[str, str] | None = None, name: str = "x") -> Value:
    """The value bound to `x` at the end."""
    return run(tmp_path, text, files).entry.namespace[name]


UNKNOWN: Any = object()

CASES: list[tuple[str, Any]] = [
    # builtins
    ("x = len([1, 2, 3])", 3),
    ("x = len('abc')", 3),
    ("x = max(2, 3)", 3),
    ("x = min([4, 2])", 2),
    ("x = sum([1, 2, 3])", 6),
    ("x = round(2.5678, 2)", 2.57),
    ("x = abs(-3)", 3),
    ("x = int('12')", 12),
    ("x = float('1e-4')", 1e-4),
    ("x = str(5)", "5"),
    ("x = bool(0)", False),
    ("x = list(range(3))", [0, 1, 2]),
    ("x = [i for i in range(3)]", [0, 1, 2]),
    ("x = list(zip([1, 2], ['a', 'b']))", [(1, "a"), (2, "b")]),
    ("x = list(enumerate(['a']))", [(0, "a")]),
    ("x = dict(a=1, b=2)['b']", 2),
    ("x = dict([('a', 1)])['a']", 1),
    ("x = sorted([1, 2])", [1, 2]),
    ("x = sorted([2, 1])", [1, 2]),
    ("x = sorted(['b', 'a'], reverse=True)", ["b", "a"]),
    ("x = list(reversed([1, 2]))", [2, 1]),
    ("x = list(map(int, ['1', '2']))", [1, 2]),
    ("x = list(filter(None, [0, 1]))", [1]),
    ("x = list(filter(lambda v: v > 1, [1, 2]))", [2]),
    ("x = any([False, True])", True),
    ("x = all([True, False])", False),
    ("x = divmod(7, 2)", (3, 1)),
    ("x = pow(2, 3)", 8),
    ("x = isinstance(3, int)", True),
    ("x = isinstance('a', (int, float))", False),
    ("x = isinstance([1], list)", True),
    ("x = isinstance({}, (list, dict))", True),
    ("x = isinstance(3, float)", False),
    ("class A: y = 4\nx = getattr(A(), 'y')", 4),
    ("class A: y = 4\nx = getattr(A(), 'z', 7)", 7),
    ("class A: pass\na = A()\nsetattr(a, 'q', 5)\nx = a.q", 5),
    ("class A: pass\na = A()\na.b = 3\nx = vars(a)['b']", 3),
    ("class A: pass\na = A()\na.b = 3\nx = a.__dict__['b']", 3),
    ("class A: pass\na = A()\na.__dict__.update({'b': 3})\nx = a.b", 3),
    ("class A:\n    def __init__(self, **k): self.__dict__.update(k)\nx = A(b=3).b", 3),
    ("class A:\n    def __init__(self, d):\n        for k, v in d.items(): setattr(self, k, v)\nx = A({'b': 3}).b", 3),
    ("x = hasattr(3, 'foo') or 1", UNKNOWN),
    ("x = eval('1 + 2')", 3),
    ("x = type(3).__name__", "int"),
    ("x = callable(len)", True),
    ("y = 3\nx = globals()['y']", 3),
    ("x = next(iter([5, 6]))", 5),
    ("x = '{}-{}'.format(1, 'a')", "1-a"),
    ("x = '-'.join(['a', 'b'])", "a-b"),
    ("x = 'a,b'.split(',')", ["a", "b"]),
    ("x = 'ABC'.lower().startswith('ab')", True),
    ("x = [1]\nx.append(2)", [1, 2]),
    ("x = [1]\nx.extend([2, 3])", [1, 2, 3]),
    ("x = [1]\nx.extend((2, 3))", [1, 2, 3]),
    ("x = [1, 3]\nx.insert(1, 2)", [1, 2, 3]),
    ("y = [1, 2]\nx = y.pop()", 2),
    ("x = [1, 2]\nx.pop()", [1]),
    ("x = [1, 2]\nx.pop(0)", [2]),
    ("x = [1, 2]\nx.reverse()", [2, 1]),
    ("x = [2, 1]\nx.sort()", [1, 2]),
    ("x = [1, 2, 1]\nx.remove(1)", [2, 1]),
    ("x = [4, 5].index(5)", 1),
    ("x = [4, 5, 4].count(4)", 2),
    ("x = {'a': 1}.get('a', 3)", 1),
    ("x = {'a': 1}.get('b', 3)", 3),
    ("x = {'a': 1}.get('b')", None),
    ("y = {'a': 1}\nx = y.pop('a')", 1),
    ("y = {'a': 1}\ny.update(b=2)\nx = y", {"a": 1, "b": 2}),
    ("y = {'a': 1}\ny.setdefault('c', 4)\nx = y['c']", 4),
    ("x = list({'a': 1}.items())", [("a", 1)]),
    ("x = [k for k in {'a': 1}]", ["a"]),
    ("x = 'a' in {'a': 1}", True),
    ("x = {'a': 1}.keys()", ["a"]),
    ("x = {}.fromkeys(['a'], 0)", {"a": 0}),
    ("x = dict.fromkeys(['a', 'b'], 0)", {"a": 0, "b": 0}),
    ("x = slice(1, 2) and [1, 2, 3][slice(1, 2)]", [2]),
    ("x = set([1, 1])", [1]),
    ("x = tuple([1, 2])", (1, 2)),
    ("x = str.upper('a')", "A"),
    # functools, collections, copy, dataclasses, types
    ("from functools import partial\nx = partial(lambda a, b: a + b, 1)(2)", 3),
    ("from functools import reduce\nx = reduce(lambda a, b: a * b, [2, 3])", 6),
    ("from functools import lru_cache\n@lru_cache(None)\ndef f(): return 3\nx = f()", 3),
    ("from functools import wraps\ndef d(f):\n    @wraps(f)\n    def g(*a): return f(*a)\n    return g\n@d\ndef f(v): return v\nx = f(4)", 4),
    ("from collections import OrderedDict\nx = OrderedDict([('a', 1)])['a']", 1),
    ("from collections import OrderedDict\nx = OrderedDict(a=1)['a']", 1),
    ("from collections import defaultdict\nd = defaultdict(lambda: 3)\nx = d['q']", 3),
    ("from collections import defaultdict\nd = defaultdict(list)\nd['a'].append(1)\nx = d['a']", [1]),
    ("from collections import namedtuple\nP = namedtuple('P', 'a b')\nx = P(1, 2).b", 2),
    ("from collections import namedtuple\nP = namedtuple('P', ['a', 'b'])\na, b = P(1, b=2)\nx = b", 2),
    ("from typing import NamedTuple\nclass P(NamedTuple):\n    a: int\n    b: int = 5\nx = P(1).b", 5),
    ("from copy import deepcopy\na = {'b': [1]}\nc = deepcopy(a)\nc['b'].append(2)\nx = a['b']", [1]),
    ("from copy import copy\nx = copy([1, 2])", [1, 2]),
    ("from dataclasses import dataclass\n@dataclass\nclass C:\n    lr: float = 0.1\nx = C().lr", 0.1),
    ("from dataclasses import dataclass\n@dataclass\nclass C:\n    lr: float = 0.1\nx = C(0.2).lr", 0.2),
    ("from dataclasses import dataclass, field\n@dataclass\nclass C:\n    a: list = field(default_factory=lambda: [1])\nx = C().a", [1]),
    ("from dataclasses import dataclass, replace\n@dataclass\nclass C:\n    a: int = 1\n    b: int = 2\nx = replace(C(), a=3).b", 2),
    ("from dataclasses import dataclass, asdict\n@dataclass\nclass C:\n    a: int = 1\nx = asdict(C())['a']", 1),
    ("from types import SimpleNamespace\nx = SimpleNamespace(**{'a': 1}).a", 1),
    ("from enum import Enum\nclass E(Enum):\n    A = 'a'\nx = E.A == E.A", True),
    # itertools, math, operator
    ("from itertools import chain\nx = list(chain([1], [2]))", [1, 2]),
    ("from itertools import product\nx = len(list(product([1, 2], [3, 4])))", 4),
    ("from itertools import islice\nx = list(islice([1, 2, 3], 2))", [1, 2]),
    ("import math\nx = math.ceil(7 / 2)", 4),
    ("import math\nx = math.pi > 3", True),
    ("from operator import itemgetter\nx = itemgetter('a')({'a': 1})", 1),
    # os, pathlib
    ("import os\nx = os.path.join('a', 'b')", "a/b"),
    ("import os\nx = os.path.basename('a/b.txt')", "b.txt"),
    ("from pathlib import Path\nx = str(Path('a') / 'b')", "a/b"),
    ("from pathlib import Path\nx = Path('a/b.txt').name", "b.txt"),
    ("from pathlib import Path\nx = Path('a/b.txt').stem", "b"),
    ("import os\nx = os.environ.get('LR', '0.1')", "0.1"),
    ("import os\nx = int(os.environ['RANK'])", UNKNOWN),
    ("import os\nx = os.path.exists('a')", UNKNOWN),
    # attribute dictionaries
    ("from easydict import EasyDict as edict\nc = edict()\nc.a = edict()\nc.a.lr = 0.1\nx = c.a.lr", 0.1),
    ("from easydict import EasyDict as edict\nc = edict({'a': {'b': 1}})\nx = c.a.b", 1),
    ("from easydict import EasyDict as edict\nc = edict({'a': 1})\nx = c.get('a')", 1),
    ("from addict import Dict\nc = Dict()\nc.a.b = 3\nx = c.a.b", 3),
    ("from munch import munchify\nx = munchify({'a': {'b': 1}}).a.b", 1),
    ("from ml_collections import ConfigDict\nc = ConfigDict()\nc.lr = 0.1\nx = c.lr", 0.1),
    ("import ml_collections\nc = ml_collections.ConfigDict({'a': 1})\nx = c.a", 1),
    ("class AttrDict(dict):\n    def __getattr__(self, k): return self[k]\nx = AttrDict(a=1).a", 1),
    ("class AttrDict(dict):\n    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n        self.__dict__ = self\nx = AttrDict({'a': 1}).a", 1),
    ("class D(dict):\n    __getattr__ = dict.get\n    __setattr__ = dict.__setitem__\nd = D({'a': 1})\nx = d.a", 1),
    ("class D(dict):\n    __getattr__ = dict.__getitem__\nd = D(a=1)\nd['b'] = 2\nx = d.b", 2),
    ("class D(dict):\n    pass\nd = D(a=1)\nd['b'] = 2\nx = dict(**d)", {"a": 1, "b": 2}),
    ("from yacs.config import CfgNode as CN\nC = CN()\nC.S = CN()\nC.S.LR = 0.1\nc = C.clone()\nc.S.LR = 0.2\nx = C.S.LR", 0.1),
    ("from yacs.config import CfgNode as CN\nC = CN()\nC.S = CN()\nC.S.LR = 0.1\nC.merge_from_list(['S.LR', 0.3])\nx = C.S.LR", 0.3),
    ("from omegaconf import OmegaConf\nc = OmegaConf.create({'a': {'b': 1}})\nx = c.a.b", 1),
    ("from omegaconf import OmegaConf\nc = OmegaConf.create({'a': 1, 'b': '${a}'})\nx = c.b", 1),
    ("from omegaconf import OmegaConf\nc = OmegaConf.create('lr: 1e-3')\nx = c.lr", 1e-3),
    ("from omegaconf import OmegaConf\nc = OmegaConf.merge({'a': {'b': 1, 'c': 2}}, {'a': {'b': 3}})\nx = (c.a.b, c.a.c)", (3, 2)),
    ("from omegaconf import OmegaConf\nx = OmegaConf.to_container(OmegaConf.create({'a': 1}))['a']", 1),
    ("from omegaconf import OmegaConf\nc = OmegaConf.from_dotlist(['a.b=1'])\nx = c.a.b", 1),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text.replace("\n", "; ")[-60:] for text, _ in CASES])
def test_value(tmp_path: Path, text: str, expected: Any) -> None:
    found = plain(value(tmp_path, text))
    if expected is UNKNOWN:
        assert found is Opaque
    else:
        assert found == expected
        assert type(found) is type(expected)


def setting_of(reader: Reader, name: str) -> Known:
    """A bound value as a setting."""
    from advisor.read.python.values import setting

    found = setting(reader.entry.namespace[name])
    assert isinstance(found, Known), found
    return found


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
        f"{PARSER}p.add_argument('--lr', type=float, default=0.1)\np.add_argument('-b', type=int, default=1)\np.add_argument('--ks', nargs='+', type=int)\n"
        "p.add_argument('--amp', action='store_true')\nargs, rest = p.parse_known_args(['--lr=0.5', '-b', '8', '--ks', '1', '2', '--amp'])\n"
        "x = (args.lr, args.b, args.ks, args.amp)",
    )
    assert plain(reader.entry.namespace["x"]) == (0.5, 8, [1, 2], True)
    assert not setting_of(reader, "x").weak


def test_argparse_shell_arguments(tmp_path: Path) -> None:
    text = f"{PARSER}p.add_argument('--lr', type=float, default=0.1)\nargs = p.parse_args()\nx = args.lr"
    (tmp_path / "main.py").write_text(text)
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "main.py"))
    assert isinstance(source, SourceModule)
    reader = Reader(project, source)
    reader.entry_arguments = ["--lr", "0.7"]
    imports.run_module(reader, reader.entry, main=True)
    assert plain(reader.entry.namespace["x"]) == 0.7


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


CONFIG = """
optim:
  lr: 1e-4
  decay: 0.01
  name: adam   # the optimizer
epochs: 10
steps: [10, 20]
amp: no
"""


def test_yaml_values_stand_in_the_config(tmp_path: Path) -> None:
    text = "import yaml\nwith open('config.yaml') as f:\n    cfg = yaml.safe_load(f)\nx = cfg['optim']['decay']\ny = cfg['optim']['lr']\nz = cfg['amp']"
    reader = run(tmp_path, text, {"config.yaml": CONFIG})
    found = setting_of(reader, "x")
    assert found.value == 0.01
    assert found.place is not None
    assert (found.place.file, found.place.line, found.place.column) == ("config.yaml", 4, 10)
    assert found.origin[-1].text == "optim.decay"
    assert setting_of(reader, "y").value == "1e-4"
    assert setting_of(reader, "z").value is False


@pytest.mark.parametrize(
    "load",
    [
        "import yaml\ncfg = yaml.load(open('config.yaml'), Loader=yaml.FullLoader)",
        "import yaml\ncfg = yaml.safe_load(open('config.yaml').read())",
        "import yaml\nfrom pathlib import Path\ncfg = yaml.safe_load(Path('config.yaml').read_text())",
        "import yaml\nfrom pathlib import Path\ncfg = yaml.safe_load((Path(__file__).parent / 'config.yaml').open())",
        "import yaml, os\ncfg = yaml.safe_load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'config.yaml')))",
        "import yaml\ndef read(path):\n    with open(path, 'r') as stream:\n        try:\n            return yaml.safe_load(stream)\n        except yaml.YAMLError as e:\n            print(e)\ncfg = read('config.yaml')",
        "from ruamel.yaml import YAML\ncfg = YAML(typ='safe').load(open('config.yaml'))",
        "from omegaconf import OmegaConf\ncfg = OmegaConf.load('config.yaml')",
        "import yaml\nfrom easydict import EasyDict\ncfg = EasyDict(yaml.safe_load(open('config.yaml')))\ncfg['epochs'] = cfg.epochs",
        "import yaml\nfrom types import SimpleNamespace\nns = SimpleNamespace(**yaml.safe_load(open('config.yaml')))\ncfg = vars(ns)",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--config', default='config.yaml')\ncfg = yaml.safe_load(open(p.parse_args().config))",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\nargs = p.parse_args()\n"
        "args.__dict__.update(yaml.safe_load(open('config.yaml')))\ncfg = vars(args)",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\n"
        "p.set_defaults(**yaml.safe_load(open('config.yaml')))\nargs = p.parse_args()\ncfg = vars(args)",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\nargs = p.parse_args()\n"
        "opt = yaml.safe_load(open('config.yaml'))\nopt.update(vars(args))\ncfg = yaml.safe_load(open('config.yaml'))",
        "from box import Box\ncfg = Box.from_yaml(filename='config.yaml')",
    ],
)
def test_yaml_is_found(tmp_path: Path, load: str) -> None:
    assert plain(value(tmp_path, load + "\nx = cfg['epochs']", {"config.yaml": CONFIG})) == 10


def test_json_and_toml(tmp_path: Path) -> None:
    files = {"c.json": '{\n "optim": {"lr": 1e-3}\n}', "c.toml": "[optim]\nlr = 1e-3\n"}
    reader = run(tmp_path, "import json, tomllib\nx = json.load(open('c.json'))['optim']['lr']\ny = tomllib.load(open('c.toml', 'rb'))['optim']['lr']", files)
    assert setting_of(reader, "x").value == setting_of(reader, "y").value == 1e-3
    assert setting_of(reader, "x").origin[-1].line == setting_of(reader, "y").origin[-1].line == 2


def test_ini(tmp_path: Path) -> None:
    text = "import configparser\nc = configparser.ConfigParser()\nc.read('c.ini')\nx = c.getfloat('train', 'lr')\ny = float(c['train']['LR'.lower()])"
    reader = run(tmp_path, text, {"c.ini": "[train]\nlr = 0.1 ; rate\n"})
    assert setting_of(reader, "x").value == setting_of(reader, "y").value == 0.1
    assert setting_of(reader, "x").origin[-1].text == "train.lr"


def test_broken_yaml_is_told(tmp_path: Path) -> None:
    reader = run(tmp_path, "import yaml\nx = yaml.safe_load(open('c.yaml'))", {"c.yaml": "a: [1\nb: 2"})
    assert plain(reader.entry.namespace["x"]) is Opaque
    assert [broken.kind for broken in reader.recipe.broken] == ["yaml"]


YACS = """
from yacs.config import CfgNode as CN
_C = CN()
_C.SOLVER = CN()
_C.SOLVER.LR = 0.1
_C.SOLVER.STEPS = (1, 2)
_C.SOLVER.NEW = CN()
_C.SOLVER.NEW.A = 1
def get():
    return _C.clone()
"""


def test_yacs_files_and_lists(tmp_path: Path) -> None:
    text = YACS + "cfg = get()\ncfg.merge_from_file('c.yaml')\ncfg.merge_from_list(['SOLVER.NEW.A', 7])\ncfg.freeze()\nx = cfg.SOLVER.LR\ny = cfg.SOLVER.NEW.A\nz = _C.SOLVER.LR"
    reader = run(tmp_path, text, {"c.yaml": "SOLVER:\n  LR: 1e-3\n"})
    assert setting_of(reader, "x").value == 1e-3
    assert setting_of(reader, "x").origin[-1].text == "SOLVER.LR"
    assert (setting_of(reader, "y").value, setting_of(reader, "z").value) == (7, 0.1)


def test_yacs_unknown_file_leaves_defaults(tmp_path: Path) -> None:
    text = YACS + "import argparse\np = argparse.ArgumentParser()\np.add_argument('--cfg', required=True)\na = p.parse_args()\ncfg = get()\ncfg.merge_from_file(a.cfg)\nx = cfg.SOLVER.LR"
    found = value(tmp_path, text)
    assert isinstance(found, Constant)
    assert (found.value, found.weak) == (0.1, True)


def test_yacs_default_is_an_alias(tmp_path: Path) -> None:
    text = YACS + "cfg = _C\ns = cfg.SOLVER\ncfg.merge_from_list(['SOLVER.LR', 0.3])\nx = (s.LR, _C.SOLVER.LR)"
    assert plain(value(tmp_path, text)) == (0.3, 0.3)


def test_hydra(tmp_path: Path) -> None:
    text = """
    import hydra
    @hydra.main(version_base=None, config_path="conf", config_name="config")
    def main(cfg):
        global x, y, z, w
        x, y, z, w = cfg.optim.lr, cfg.epochs, cfg.name, cfg.must
    main()
    """
    files = {
        "conf/config.yaml": "defaults:\n  - optim: adam\n  - _self_\nepochs: 5\nbase: 1e-3\nname: run-${epochs}\nmust: ???\n",
        "conf/optim/adam.yaml": "# @package optim\nlr: ${base}\n",
    }
    reader = run(tmp_path, text, files)
    assert (setting_of(reader, "x").value, setting_of(reader, "y").value, setting_of(reader, "z").value) == (1e-3, 5, "run-5")
    assert setting_of(reader, "x").weak
    assert plain(reader.entry.namespace["w"]) is Opaque


def test_hydra_order_packages_and_overrides(tmp_path: Path) -> None:
    files = {
        "conf/config.yaml": "defaults:\n  - _self_\n  - optim: adam\n  - exp: big\nlr: 1\n",
        "conf/optim/adam.yaml": "kind: adam\nlr: 0.1\n",
        "conf/optim/sgd.yaml": "kind: sgd\nlr: 0.5\n",
        "conf/exp/big.yaml": "# @package _global_\ndefaults:\n  - override /optim: sgd\nlr: 2\noptim:\n  lr: 0.7\n",
    }
    from advisor.read.config.hydra import compose
    from advisor.read.config.tree import plain as data

    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    found = compose(Project(str(tmp_path)), str(tmp_path / "conf"), "config", ["optim.extra=3"])
    assert found.root is not None
    assert data(found.root, True) == {"lr": 2, "optim": {"kind": "sgd", "lr": 0.7, "extra": 3}}
    assert not found.missing


def test_instantiate(tmp_path: Path) -> None:
    text = """
    from hydra.utils import instantiate
    from parts import Box
    x = instantiate({"_target_": "parts.Box", "side": 3, "inner": {"_target_": "parts.Box", "side": 4}}).inner.side
    y = instantiate({"_target_": "parts.Box", "_partial_": True, "side": 3})(inner=5).inner
    z = instantiate({"a": {"_target_": "parts.Box", "side": 8}}).a.side
    """
    reader = run(tmp_path, text, {"parts.py": "class Box:\n    def __init__(self, side, inner=None):\n        self.side, self.inner = side, inner\n"})
    assert [plain(reader.entry.namespace[name]) for name in "xyz"] == [4, 5, 8]


COMMAND_LINES = [
    "import click\n@click.command()\n@click.option('--lr', default=0.1)\n@click.option('--amp/--no-amp', default=True)\n@click.option('-b', '--batch-size', 'size', default=8)\n"
    "def main(lr, amp, size):\n    global x\n    x = (lr, amp, size)\nmain()",
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(lr: float = 0.1, amp: bool = typer.Option(True), size: int = typer.Option(8, '--b')):\n    global x\n    x = (lr, amp, size)\napp()",
    "import typer\ndef main(lr: float = 0.1, amp: bool = True, size: int = 8):\n    global x\n    x = (lr, amp, size)\ntyper.run(main)",
    "import fire\ndef main(lr=0.1, amp=True, size=8):\n    global x\n    x = (lr, amp, size)\nfire.Fire(main)",
    "import fire\nclass T:\n    def __init__(self, lr=0.1):\n        self.lr = lr\n    def train(self, amp=True, size=8):\n        global x\n        x = (self.lr, amp, size)\nfire.Fire(T)",
    "import tyro\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    lr: float = 0.1\n    amp: bool = True\n    size: int = 8\na = tyro.cli(A)\nx = (a.lr, a.amp, a.size)",
    "from simple_parsing import ArgumentParser\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    lr: float = 0.1\n    amp: bool = True\n    size: int = 8\n"
    "p = ArgumentParser()\np.add_arguments(A, dest='a')\na = p.parse_args().a\nx = (a.lr, a.amp, a.size)",
    "from tap import Tap\nclass A(Tap):\n    lr: float = 0.1\n    amp: bool = True\n    size: int = 8\na = A().parse_args()\nx = (a.lr, a.amp, a.size)",
    "from absl import app, flags\nF = flags.FLAGS\nflags.DEFINE_float('lr', 0.1, '')\nflags.DEFINE_bool('amp', True, '')\nflags.DEFINE_integer('size', 8, '')\n"
    "def main(_):\n    global x\n    x = (F.lr, F.amp, F.size)\napp.run(main)",
    "from transformers import HfArgumentParser\nfrom dataclasses import dataclass, field\n@dataclass\nclass A:\n    lr: float = field(default=0.1)\n    amp: bool = True\n    size: int = 8\n"
    "a, = HfArgumentParser(A).parse_args_into_dataclasses()\nx = (a.lr, a.amp, a.size)",
    "from pydantic_settings import BaseSettings\nclass A(BaseSettings):\n    lr: float = 0.1\n    amp: bool = True\n    size: int = 8\na = A()\nx = (a.lr, a.amp, a.size)",
    "from sacred import Experiment\nex = Experiment('e')\n@ex.config\ndef c():\n    lr = 0.1\n    amp = True\n    size = 8\n@ex.automain\ndef main(lr, amp, size):\n    global x\n    x = (lr, amp, size)",
    "import wandb\nrun = wandb.init(config={'lr': 0.1, 'amp': True, 'size': 8})\nc = wandb.config\nx = (c.lr, c['amp'], run.config.size)",
    "from hydra import main as m\nfrom hydra.core.config_store import ConfigStore\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    lr: float = 0.1\n    amp: bool = True\n    size: int = 8\n"
    "ConfigStore.instance().store(name='config', node=A)\n@m(config_path=None, config_name='config')\ndef main(cfg):\n    global x\n    x = (cfg.lr, cfg.amp, cfg.size)\nmain()",
]


@pytest.mark.parametrize("text", COMMAND_LINES, ids=[text.split("\n")[0] for text in COMMAND_LINES])
def test_command_line(tmp_path: Path, text: str) -> None:
    from advisor.read.python.values import Sequence

    found = value(tmp_path, text)
    assert plain(found) == (0.1, True, 8)
    assert isinstance(found, Sequence)
    for item in found.items:
        assert isinstance(item, Constant)
        assert item.weak


def test_hyperpyyaml(tmp_path: Path) -> None:
    config = "lr: 1e-3\nhalf: !ref <lr> / 2\nbox: !new:parts.Box\n  side: !ref <lr>\nname: !ref run_<lr>\n"
    text = "from hyperpyyaml import load_hyperpyyaml\nwith open('h.yaml') as f:\n    h = load_hyperpyyaml(f, None)\nx = (h['lr'], h['half'], h['box'].side, h['name'])"
    found = value(tmp_path, text, {"h.yaml": config, "parts.py": "class Box:\n    def __init__(self, side):\n        self.side = side\n"})
    assert plain(found) == (0.001, 0.0005, 0.001, "run_0.001")


def test_alternatives_are_distributed(tmp_path: Path) -> None:
    text = PARSER + "p.add_argument('--a', action='store_true')\na = p.parse_args().a\nv = 4 if a else 2\n"
    for call, expected in [
        ("round(v / 3)", [1, 1]),
        ("int(v)", [2, 4]),
        ("float(v)", [2.0, 4.0]),
        ("str(v)", ["2", "4"]),
        ("max(v, 3)", [3, 4]),
        ("abs(v)", [2, 4]),
        ("len([0] * v)", [2, 4]),
        ("{2: 'x', 4: 'y'}.get(v)", ["x", "y"]),
        ("sum([v, 1])", [3, 5]),
        ("'{}'.format(v)", ["2", "4"]),
    ]:
        found = members(value(tmp_path, text + f"x = {call}"))
        assert [plain(member) for member in found] == list(dict.fromkeys(expected)), call


def test_a_minimum_with_something_unknown_is_a_bound(tmp_path: Path) -> None:
    found = value(tmp_path, "import os\nx = min(8, os.cpu_count())")
    assert isinstance(found, Union)
    assert isinstance(found.members[0], Constant)
    assert found.members[0].value == 8
    assert isinstance(found.members[1], Opaque)
    assert plain(value(tmp_path, "import os\nx = max(8, os.cpu_count())")) is Opaque
