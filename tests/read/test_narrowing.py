"""What an arm knows of a name: the choices that it is taken with, carried to whoever is given the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.read.python.values import Constant, Opaque, Value, members
from tests.read.tiny import value

HEAD = """
import argparse

def build(name):
    found = []
    if name == "a":
        found.append("a")
    elif name == "b":
        found.append("b")
    else:
        found.append("other")
    return found[0]

p = argparse.ArgumentParser()
p.add_argument("--free")
p.add_argument("--given", required=True)
p.add_argument("--chosen", default="a")
p.add_argument("--listed", default="a", choices=["a", "b"])
p.add_argument("--size", type=int, default=3)
args = p.parse_args()
x = "none"
"""

ARMS = [  # what comes of it, the default first
    ("x = build(args.free)", ["other", "b", "a"]),
    ("x = build(args.chosen)", ["a", "b", "other"]),
    ("x = build(args.listed)", ["a", "b"]),
    ("if args.free == 'a':\n    x = build(args.free)", ["none", "a"]),
    ("if 'a' == args.given:\n    x = build(args.given)\nelse:\n    x = build('z')", ["a", "other"]),
    ("if args.free == 'a' or args.free == 'b':\n    x = build(args.free)", ["none", "a", "b"]),
    ("if args.free == 'a' or args.given == 'b':\n    x = build(args.free)", ["other", "b", "a", "none"]),
    ("if args.given in ('a', 'b'):\n    x = build(args.given)", ["a", "b", "none"]),
    ("KNOWN = {'a': 1, 'c': 2}\nx = build(args.given if args.given in KNOWN else 'b')", ["a", "other", "b"]),
    ("if args.chosen not in ('a', 'c'):\n    raise ValueError\nx = build(args.chosen)", ["a", "other"]),
    ("if not (args.chosen != 'a' and args.chosen != 'c'):\n    x = build(args.chosen)", ["a", "other", "none"]),
    ("assert args.given in ['b', 'c']\nx = build(args.given)", ["b", "other"]),
    ("if args.listed != 'a':\n    x = build(args.listed)", ["none", "b"]),
    ("if args.listed == 'c':\n    x = 'never'", ["none"]),
    ("nothing = None\nif args.size % 2 == 0 and nothing is not None:\n    x = 'never'", ["none"]),
    ("nothing = None\nif args.free and (args.given or nothing):\n    x = 'perhaps'", ["none", "perhaps"]),
    ("if args.chosen == 'a':\n    pass\nx = build(args.chosen)", ["a", "b", "other"]),  # given back behind the arm
    ("match args.given:\n    case 'a':\n        x = build(args.given)", ["a", "none"]),
    ("match args.free:\n    case 'a' | 'b' as name if args.size:\n        x = build(name)", ["none", "a", "b"]),
    ("match args.chosen:\n    case 'a':\n        pass\n    case 'b' | 'c':\n        x = build(args.chosen)", ["none", "b", "other"]),
    ("match args.listed:\n    case 'a':\n        pass\n    case other:\n        x = build(other)", ["none", "b"]),
    ("match args.listed:\n    case 'c':\n        x = 'never'", ["none"]),
    ("match args.given.lower():\n    case 'a':\n        x = 'a'\n    case None:\n        x = 'no'\n    case _:\n        x = 'b'", ["a", "no", "b"]),
    ("match ['a', args.size]:\n    case [name, 3]:\n        x = 'two'", ["two", "none"]),
]


@pytest.mark.parametrize(("text", "expected"), ARMS, ids=[text for text, _ in ARMS])
def test_the_choice_of_an_arm_reaches_the_function(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = [one.value if isinstance(one, Constant) else one for one in members(value(tmp_path, HEAD + text))]
    assert found == expected


@pytest.mark.parametrize("text", ["for i in range(9):\n    if i == 0:\n        x = i", "if len(open('f').read()) == 3:\n    x = 3"])
def test_a_number_that_is_not_known_stays_so(tmp_path: Path, text: str) -> None:
    assert not any(isinstance(one, Constant) and one.value == 0 for one in members(value(tmp_path, HEAD + text)))


UNREAD = [  # of an object, a config that is not all known, and a thing that could not be read: what comes of it
    ("if cfg.model.name == 'b':\n    x = build(cfg.model.name)", "b none"),
    ("def run(cfg):\n    return build(cfg.model.name)\nif cfg.model.name == 'b':\n    x = run(cfg)", "b none"),
    ("match cfg.model.name:\n    case 'a' | 'b':\n        x = build(cfg.model.name)", "a b none"),
    ("if cfg.model.name == 'b':\n    pass\nx = build(cfg.model.name)", "a b other"),
    ("def only_b():\n    if cfg.model.name != 'b':\n        return\n    print(cfg)\nonly_b()\nx = build(cfg.model.name)", "a b other"),
    ("if cfg.model.name == 'b':\n    cfg.model.name = name\n    x = build(cfg.model.name)", "a b none other"),
    ("if len(name):\n    if cfg.model.name == 'b':\n        x = build(cfg.model.name)\nelse:\n    x = build(cfg.model.name)", "a b none other"),
]
CONFIGS = [
    "class Config:\n    pass\ncfg = Config()\ncfg.model = Config()\ncfg.model.name = name\n",
    "import argparse\ncfg = argparse.Namespace(model=argparse.Namespace(name=name))\n",
    "import hydra\n@hydra.main(config_path='nowhere')\ndef main(config):\n    global cfg\n    cfg = config\nmain()\n",
    "import lab\ncfg = lab.load()\n",
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize(("text", "expected"), UNREAD)
def test_what_an_arm_knows_of_a_part_of_a_config(tmp_path: Path, config: str, text: str, expected: str) -> None:
    found = members(value(tmp_path, f"{HEAD}name = open('f').read()\n{config}{text}"))
    assert sorted(one.value for one in found if isinstance(one, Constant)) == expected.split()
    assert all(isinstance(one, Constant) for one in found)


TYPES = [  # what the loop makes of each type
    ("type(v) in [int, float]", [True, True, False, False]),
    ("type(v) is bool", [False, False, True, False]),
    ("type(v) not in (int, float, bool)", [False, False, False, True]),
    ("type(v) == type('')", [False, False, False, True]),
    ("type(v).__name__ == 'float'", [False, True, False, False]),
    ("isinstance(v, int)", [True, False, True, False]),
]


@pytest.mark.parametrize(("test", "expected"), TYPES, ids=[test for test, _ in TYPES])
def test_types_of_known_things(tmp_path: Path, test: str, expected: list[bool]) -> None:
    text = f"x = []\nfor v in (1, 0.5, True, 'a'):\n    if {test}:\n        x.append(True)\n    else:\n        x.append(False)\n"
    found = value(tmp_path, text)
    assert [getattr(one, "value", None) for one in found.items] == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("test", ["type(args.free) is str", "isinstance(args.free, str)", "type(args.free) in (str,)"])
def test_the_type_of_an_option_that_is_not_given_is_open(tmp_path: Path, test: str) -> None:
    found: Value = value(tmp_path, f"{HEAD}if {test}:\n    x = 'given'")
    assert {getattr(one, "value", None) for one in members(found)} == {"none", "given"}
    assert not isinstance(found, Opaque)


OF_SEVERAL = """
import argparse

import torch
from torch import nn
from torch.optim import SGD

p = argparse.ArgumentParser()
p.add_argument("--deep", action="store_true")
p.add_argument("--seed", type=int)
args = p.parse_args()
thing = nn.Linear(2, 2) if args.deep else 0.5
if args.seed:
    thing = torch.zeros(2)
x = []
"""


@pytest.mark.parametrize(
    ("test", "kinds"),
    [
        ("isinstance(thing, float)", {"Constant"}),
        ("isinstance(thing, torch.Tensor)", {"Tensor"}),
        ("isinstance(thing, (torch.nn.Module, torch.Tensor))", {"Instance", "Tensor"}),
        ("not isinstance(thing, (float, torch.Tensor))", {"Instance"}),
        ("isinstance(thing, somewhere.Other)", {"Constant", "Instance", "Tensor"}),
    ],
)
def test_the_type_that_an_arm_is_for_picks_among_several(tmp_path: Path, test: str, kinds: set[str]) -> None:
    found = value(tmp_path, f"{OF_SEVERAL}if {test}:\n    x.append(thing)\n")
    assert {type(one).__name__ for item in found.items for one in members(item)} == kinds  # type: ignore[attr-defined]
