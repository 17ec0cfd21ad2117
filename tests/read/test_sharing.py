"""Programs of one run share what executing the files that they import leaves behind; each is read as if it were alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.model.recipe import Recipe
from advisor.read import read
from advisor.report.recipe import program

TRAIN = """\
import torch
from torch import nn
{imports}
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr={lr})
for x, y in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(8, 4), torch.randn(8, 2)), batch_size=2, shuffle=True):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
"""
PARSER = "import argparse\nparser = argparse.ArgumentParser()\n"
REGISTRY = "RATES = {}\n\ndef register(name, rate):\n    RATES[name] = rate\n"
SLOW, FAST = "from registry import register\nregister('rate', 0.001)\n", "from registry import register\nregister('rate', 0.1)\n"

CASES: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "each registers its own": (
        {"registry.py": REGISTRY, "slow.py": SLOW, "fast.py": FAST},
        [
            ("import slow\nfrom registry import RATES", "RATES['rate']"),
            ("import fast\nfrom registry import RATES", "RATES['rate']"),
        ],
    ),
    "the last registration counts": (
        {"registry.py": REGISTRY, "slow.py": SLOW, "fast.py": FAST},
        [
            ("import slow\nimport fast\nfrom registry import RATES", "RATES['rate']"),
            ("import fast\nimport slow\nfrom registry import RATES", "RATES['rate']"),
        ],
    ),
    "an entry changes what a file reads": (
        {"settings.py": "rate = 0.001\n", "derived.py": "import settings\nrate = settings.rate\n"},
        [
            ("import derived", "derived.rate"),
            ("import settings\nsettings.rate = 0.1\nimport derived", "derived.rate"),
            ("import derived", "derived.rate"),
        ],
    ),
    "what a program writes ends with it": (
        {"settings.py": "class Settings:\n    rate = 0.001\n\nheld = {'rate': 0.001}\nitems = [0.001]\n"},
        [
            ("from settings import Settings\nSettings.rate = 0.1", "Settings.rate"),
            ("from settings import Settings, held, items\nheld['rate'] = 0.2\nitems.append(0.3)", "held['rate']"),
            ("from settings import Settings", "Settings.rate"),
            ("from settings import held", "held['rate']"),
            ("from settings import items", "items[-1]"),
        ],
    ),
    "a name that a circle of imports does not know yet": (
        {"one.py": "import two\nrate = 0.001\n", "two.py": "from one import rate\n"},
        [("import one", "one.rate"), ("import two", "two.rate"), ("import one", "one.rate")],
    ),
    "files that import each other": (
        {
            "one.py": "import two\nrate = 0.001\n\ndef other():\n    return two.rate\n",
            "two.py": "import one\nrate = 0.1\n\ndef other():\n    return one.rate\n",
        },
        [
            ("import one", "one.other()"),
            ("import two", "two.other()"),
            ("import two, one", "one.rate"),
        ],
    ),
    "a file that builds and seeds": (
        {"parts.py": "import torch\ntorch.manual_seed(0)\nextra = torch.nn.Dropout(0.5)\nrate = 0.01\n", "user.py": "from parts import rate\n"},
        [
            ("from user import rate", "rate"),
            ("from parts import rate", "rate"),
        ],
    ),
    "a part that one program changes": (
        {"parts.py": "import torch\nextra = torch.nn.Linear(4, 4)\nrate = 0.01\n", "user.py": "from parts import extra, rate\n"},
        [
            ("from user import extra, rate\nfor p in extra.parameters():\n    p.requires_grad = False", "rate"),
            ("from user import extra, rate\nextra.half()\nextra = nn.DataParallel(extra)", "rate"),
            ("from user import extra, rate\nmystery(extra)", "rate"),
            ("from user import extra, rate", "rate"),
        ],
    ),
    "a part that is made under a flag": (
        {"parts.py": "import torch\nextra = torch.nn.Linear(4, 4)\nrate = 0.01\n"},
        [
            ("import parts", "parts.rate"),
            ("import argparse\np = argparse.ArgumentParser()\np.add_argument('--x', action='store_true')\nif p.parse_args().x: import parts", "0.1"),
            ("for i in range(3):\n    import parts", "0.1"),
            ("import parts", "parts.rate"),
        ],
    ),
    "an option that one program reads": (
        {"options.py": f"{PARSER}parser.add_argument('--rate', type=float, default=0.01)\nparser.add_argument('--other')\n"},
        [
            ("from options import parser\nargs = parser.parse_args()", "args.rate"),
            ("from options import parser\nargs = parser.parse_args()\nprint(args.other)", "args.rate"),
            ("from options import parser\nargs = parser.parse_args()", "args.rate"),
        ],
    ),
    "an import in an arm": (
        {"settings.py": "rate = 0.001\n"},
        [
            ("import sys\nif len(sys.argv) > 1:\n    import settings\nelse:\n    import settings", "settings.rate"),
            ("import settings", "settings.rate"),
        ],
    ),
}  # fmt: skip


def recipes(paths: list[Path]) -> list[dict[str, Any]]:
    """What is told of the programs."""
    told: list[dict[str, Any]] = []

    def judge(recipe: Recipe) -> list[str]:
        told.append(program(recipe))
        told[-1]["frozen and read"] = [part.trainable for part in recipe.modules] + [setting.read for setting in recipe.hyperparameters]
        return []

    assert not read([str(path) for path in paths], judge=judge).crashes
    return told


@pytest.mark.parametrize("case", CASES)
def test_programs_together_are_read_as_each_alone(case: str, tmp_path: Path) -> None:
    files, programs = CASES[case]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    entries = []
    for number, (imports, lr) in enumerate(programs):
        entries.append(tmp_path / f"train{number}.py")
        entries[-1].write_text(TRAIN.format(imports=imports, lr=lr))
    alone = [recipe for entry in entries for recipe in recipes([entry])]
    assert len(alone) == len(entries)
    assert all("value" in recipe["optimizers"]["items"][0]["lr"] for recipe in alone), "the case says nothing"
    assert recipes(entries) == alone
    assert recipes(entries[::-1]) == alone[::-1]


def test_a_package_is_executed_once_however_many_programs_import_it(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("".join(f"from .part{number} import VALUES{number}\n" for number in range(12)))
    for number in range(12):
        (package / f"part{number}.py").write_text(f"VALUES{number} = [{', '.join(f'len(str({item}))' for item in range(60))}]\n")
    entries = [tmp_path / f"train{number}.py" for number in range(8)]
    for entry in entries:
        entry.write_text(TRAIN.format(imports="from package import VALUES3", lr=0.1))
    first, *others = (recipe.steps_taken for recipe in read([str(entry) for entry in entries]).recipes)
    assert first > 12 * 60
    assert max(others) < 100


COUNTER = "def count():\n    n = 0\n    for i in range(3):\n        n += 1\n\ncount()"
BESIDE = "import logging\nVALUES = [" + ", ".join(f"len(str({item}))" for item in range(60)) + "]\n"


@pytest.mark.parametrize("part", ["extra = torch.nn.Linear(4, 4)", "torch.manual_seed(0)", COUNTER])
def test_what_a_package_builds_is_built_once(part: str, tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(f"import torch\n{part}\n{BESIDE}")
    entries = [tmp_path / f"train{number}.py" for number in range(3)]
    for entry in entries:
        entry.write_text(TRAIN.format(imports="from parts import VALUES", lr=0.1))
    first, *others = (recipe.steps_taken for recipe in read([str(entry) for entry in entries], judge=lambda recipe: []).recipes)
    assert first > 100
    assert max(others) < 100
    kept = read([str(entry) for entry in entries]).recipes
    assert all(recipe.modules.items[0] is not kept[0].modules.items[0] for recipe in kept[1:]), "whoever keeps recipes gets facts of their own"


def test_programs_in_several_folders_share_what_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "package" / "logging.py").write_text("")
    (tmp_path / "package" / "__init__.py").write_text(BESIDE)
    entries = [tmp_path / name / "train.py" for name in ("one", "two", "package")]
    for entry in entries:
        entry.parent.mkdir(exist_ok=True)
        entry.write_text(TRAIN.format(imports="from package import VALUES", lr=0.1))
    first, second, shadowing = (recipe.steps_taken for recipe in read([str(entry) for entry in entries]).recipes)
    assert first > 100 > second
    assert shadowing > 100, "beside this one stands another logging.py"
