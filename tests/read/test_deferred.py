"""Packages that import what is in them when it is asked for are read as far as a program asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Recipe
from advisor.model.source import first, number
from advisor.read import read
from tests.read.test_projects import put

LAZY = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING{other}:
    from .nets import *
    from .optimizing import make_optimizer as optimizer_of
    from .unused import nothing
else:
    import sys

    sys.modules[__name__] = Lazy(__name__)
"""
LOOKED_UP = """\
import typing

if typing.TYPE_CHECKING:
    from .nets import Small
    from .optimizing import make_optimizer as optimizer_of
    from .unused import nothing


def __getattr__(name):
    return load(name)
"""
NETS = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .small import Small
    from .large import Large
else:
    import sys

    sys.modules[__name__] = Lazy(__name__)
"""
FILES = {
    "package/nets/__init__.py": NETS,
    "package/nets/small.py": "import torch\n\n\nclass Small(torch.nn.Linear):\n    pass\n",
    "package/nets/large.py": "raise RuntimeError\n",
    "package/optimizing.py": "import torch\n\n\ndef make_optimizer(model):\n    return torch.optim.Adam(model.parameters(), lr=0.25)\n",
    "package/unused.py": "import torch\n\ntorch.manual_seed(3)\n",
}
TRAIN = """\
import torch
from package import Small
import package

model = Small(4, 3)
optimizer = package.optimizer_of(model)
loss = torch.nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(3, (8,)))
loss.backward()
optimizer.step()
"""


ADAM = [("torch.optim.Adam", 0.25)]


def recipe_of(folder: Path, package: str) -> Recipe:
    put(folder, {**FILES, "package/__init__.py": package, "train.py": TRAIN})
    [recipe] = read([str(folder / "train.py")]).recipes
    return recipe


def optimizers(recipe: Recipe) -> list[tuple[str, object]]:
    return [(optimizer.kind, number(first(optimizer.settings["lr"]))) for optimizer in recipe.optimizers]


def files(recipe: Recipe, folder: Path) -> list[str]:
    return [(Path.cwd() / file).relative_to(folder).as_posix() for file in recipe.files]


@pytest.mark.parametrize("other", ["", " or SLOW"])
def test_a_package_that_stands_in_for_itself(tmp_path: Path, other: str) -> None:
    recipe = recipe_of(tmp_path, "import os\n\nSLOW = os.environ.get('SLOW') in ('1', 'true')\n" + LAZY.format(other=other))
    assert optimizers(recipe) == ADAM
    assert files(recipe, tmp_path) == [
        "train.py",
        "package/__init__.py",
        "package/nets/__init__.py",
        "package/nets/small.py",
        "package/optimizing.py",
    ]


def test_a_package_with_a_getattr_of_its_own(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, LOOKED_UP)
    assert optimizers(recipe) == ADAM
    assert "package/unused.py" not in files(recipe, tmp_path)


def test_types_of_a_file_that_is_no_such_package_are_read(tmp_path: Path) -> None:
    plain = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .unused import nothing\nfrom .nets.small import Small\n"
    recipe = recipe_of(tmp_path, plain + "from .optimizing import make_optimizer as optimizer_of\n")
    assert "package/unused.py" in files(recipe, tmp_path)
    assert [number(seed.value) for seed in recipe.seeds] == [3]


def test_packages_that_ask_each_other(tmp_path: Path) -> None:
    put(tmp_path, {"other/__init__.py": LAZY.format(other="").replace(".nets", "package").replace(".optimizing", "package")})
    recipe = recipe_of(tmp_path, LAZY.format(other="").replace(".nets", "other").replace(".optimizing", "other"))
    assert not recipe.optimizers.items and not recipe.undefined_names.items
