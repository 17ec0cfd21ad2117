"""Workers that are started with a seed that stays, and data sets that draw their samples by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Loader
from tests.read.torch.reading import run

PROGRAM = """
import random
import numpy as np

SEED = 42

class Data(Dataset):
    def __init__(self, drawn=True):
        self.drawn, self.items = drawn, []

    def __len__(self):
        return 100

    def __getitem__(self, index):
        BODY

START

loader = DataLoader(Data(), batch_size=4, num_workers=2, worker_init_fn=start)
"""
ANY = "return self.items[np.random.randint(10)]"
FIXED = "def start(worker):\n    np.random.seed(SEED + worker)"


@pytest.mark.parametrize(
    ("body", "start", "library"),
    [
        (ANY, FIXED, "numpy"),
        (ANY, "start = lambda worker: np.random.seed(worker)", "numpy"),
        (ANY, "def start(worker):\n    seed = 7 * worker + SEED\n    random.seed(seed)\n    np.random.seed(seed)", "numpy"),
        ("return random.choice(self.items)", "def start(worker):\n    random.seed(1)", "random"),
        ("one = index\n        if self.drawn:\n            one = np.random.randint(10)\n        return self.items[one]", FIXED, "numpy"),
        # The index has a say.
        ("return self.items[index] + self.items[np.random.randint(10)]", FIXED, None),
        ("one = index\n        if not self.drawn:\n            one = np.random.randint(10)\n        return self.items[one]", FIXED, None),
        ("one = index\n        if self.items:\n            one = np.random.randint(10)\n        return self.items[one]", FIXED, None),
        ("one = np.random.randint(10)\n        one += index\n        return self.items[one]", FIXED, None),
        ("if self.items:\n            return self.items[index]\n        " + ANY, FIXED, None),
        # Another library draws, or another one too.
        ("return random.choice(self.items)", FIXED, None),
        ("return random.choice(self.items)[np.random.randint(10)]", FIXED, None),
        # The seed changes, or may do so, or is set on some way alone.
        (ANY, "def start(worker):\n    np.random.seed(torch.initial_seed() % 2**32)", None),
        (ANY, "def start(worker):\n    np.random.seed(np.random.get_state()[1][0] + worker)", None),
        (ANY, "def start(worker):\n    np.random.seed(SEED + worker)\n\ndef later():\n    global SEED\n    SEED = 43", None),
        (ANY, "def start(worker):\n    if worker:\n        np.random.seed(SEED)", None),
        (ANY, "def start(worker):\n    np.random.seed(SEED)\n    np.random.seed(torch.initial_seed() % 2**32)", None),
        (ANY, "start = None", None),
    ],
)
def test_what_each_start_of_the_workers_repeats(tmp_path: Path, body: str, start: str, library: str | None) -> None:
    reader = run(tmp_path, PROGRAM.replace("BODY", body).replace("START", start))
    (loader,) = reader.recipe.facts(Loader)
    assert (loader.repeated[0] if loader.repeated is not None else None) == library
