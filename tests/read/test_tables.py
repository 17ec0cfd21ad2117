"""What the tables of builtins and small libraries make of tiny programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.read.python.values import Constant, Opaque, Union, members, plain
from tests.read.tiny import UNKNOWN, value

PARSER = """
import argparse
p = argparse.ArgumentParser()
"""
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
    ("import inspect\nclass C:\n    pass\nx = inspect.isclass(C), inspect.isclass(C()), inspect.isclass(3)", (True, False, False)),
    ("import inspect\ndef f(): pass\nx = inspect.isfunction(f), inspect.ismethod(f), inspect.isroutine(f)", (True, False, True)),
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
    (
        (
            "class AttrDict(dict):\n    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n"
            "        self.__dict__ = self\nx = AttrDict({'a': 1}).a"
        ),
        1,
    ),
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


def test_alternatives_are_distributed(tmp_path: Path) -> None:
    text = PARSER + "p.add_argument('--a', action='store_true')\na = p.parse_args().a\nv = 4 if a else 2\n"
    cases: list[tuple[str, list[Any]]] = [
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
    ]
    for call, expected in cases:
        found = members(value(tmp_path, text + f"x = {call}"))
        assert [plain(member) for member in found] == list(dict.fromkeys(expected)), call


def test_a_minimum_with_something_unknown_is_a_bound(tmp_path: Path) -> None:
    found = value(tmp_path, "import os\nx = min(8, os.cpu_count())")
    assert isinstance(found, Union)
    assert isinstance(found.members[0], Constant)
    assert found.members[0].value == 8
    assert isinstance(found.members[1], Opaque)
    assert plain(value(tmp_path, "import os\nx = max(8, os.cpu_count())")) is Opaque
