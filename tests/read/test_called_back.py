"""A run that the program hands to a library (a search, a pool, a launcher) is read as what that library calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

RUN = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train({parameters}):
    loader = DataLoader(TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,))), batch_size=32, shuffle=True)
    model = nn.Linear(20, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(10):
        for x, y in loader:
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()


"""
NEVER_CLEARED = "the gradients of `Adam` are never cleared: each step (line 13) uses the sum over all earlier batches too"
NO_SEED = "no seed is set before random numbers reach training here: two runs of this program differ"


def found(folder: Path, files: dict[str, str]) -> list[tuple[int, str]]:
    """(line, message) of each error and warning in train.py and what it reads."""
    for name, text in files.items():
        (folder / name).write_text(text)
    every = cards.load()
    result = lint(read([str(folder / "train.py")]), lambda file: Choice(every, {}), frozenset(every))
    return [(f.place.line, f.message) for f in result.findings if f.severity != "hint"]


@pytest.mark.parametrize(
    ("parameters", "call"),
    [
        ("trial", "import optuna\nstudy = optuna.create_study()\nstudy.optimize(train, n_trials=60)"),
        ("trial, width", "import optuna\noptuna.create_study().optimize(lambda trial: train(trial, 64), n_trials=60)"),
        ("config", "from ray import tune\ntune.run(train, config={'lr': tune.choice([1e-3])})"),
        ("config, folder", "from functools import partial\nfrom ray import tune\ntune.Tuner(partial(train, folder='data')).fit()"),
        ("space", "from hyperopt import fmin, hp, tpe\nfmin(train, hp.uniform('lr', 0, 1), algo=tpe.suggest, max_evals=10)"),
        ("space", "from hyperopt import fmin, hp, tpe\nfmin(fn=train, space=hp.uniform('lr', 0, 1), algo=tpe.suggest, max_evals=10)"),
        ("seed", "from multiprocessing import Pool\nwith Pool(2) as pool:\n    pool.map(train, [1, 2])"),
        ("seed", "from multiprocessing import Pool\nfor result in Pool(2).imap_unordered(train, [1, 2]):\n    print(result)"),
        ("seed, width", "from multiprocessing import Pool\nPool(2).starmap(train, [(1, 64), (2, 64)])"),
        ("seed, width=64", "from multiprocessing import Pool\njob = Pool(2).apply_async(train, (1,), {'width': 32})\nprint(job.get())"),
        (
            "seed",
            "from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor() as pool:\n    print(pool.submit(train, 1).result())",
        ),
        ("seed, width", "from concurrent.futures import ThreadPoolExecutor\nprint(list(ThreadPoolExecutor().map(train, [1, 2], [32, 64])))"),
        ("seed", "from joblib import Parallel, delayed\nParallel(n_jobs=2)(delayed(train)(seed) for seed in range(3))"),
        ("config", "import submitit\nsubmitit.AutoExecutor(folder='logs').submit(train, {'lr': 1e-3})"),
        ("", "from accelerate import notebook_launcher\nnotebook_launcher(train, num_processes=2)"),
        ("config", "import launcher\nlauncher.launch(train, gpus=4)"),
    ],
)
def test_called(tmp_path: Path, parameters: str, call: str) -> None:
    assert found(tmp_path, {"train.py": RUN.format(parameters=parameters) + call + "\n"}) == [(8, NO_SEED), (12, NEVER_CLEARED)]


def test_seed_of_the_program(tmp_path: Path) -> None:
    """What the program does before the search begins holds in it."""
    call = "import optuna\ntorch.manual_seed(0)\noptuna.create_study().optimize(train, n_trials=60)\n"
    assert found(tmp_path, {"train.py": RUN.format(parameters="trial") + call}) == [(12, NEVER_CLEARED)]


def test_method_and_object(tmp_path: Path) -> None:
    """A bound method, and an object that is called."""
    text = (
        RUN.format(parameters="width")
        + "class Search:\n    def {name}(self, trial):\n        return train(64)\n\n\nimport tuner\ntuner.search({what})\n"
    )
    assert len(found(tmp_path, {"train.py": text.format(name="objective", what="Search().objective")})) == 2
    assert len(found(tmp_path, {"train.py": text.format(name="__call__", what="Search()")})) == 2


COMMANDS = """\
import sys


class Commands:
    def __init__(self):
        getattr(self, sys.argv[1])()

    def prepare(self):
        torch.load("raw.pt")

    def train(self):
        train(64)

    def _search(self):
        train(32)


Commands()
"""


def test_named_on_the_command_line(tmp_path: Path) -> None:
    """The method that an option names: each that is a run is one way on."""
    assert found(tmp_path, {"train.py": RUN.format(parameters="width") + COMMANDS}) == [(8, NO_SEED), (12, NEVER_CLEARED)]


def test_decorated(tmp_path: Path) -> None:
    """The method that a library's decorator gives a function starts it."""
    text = RUN.format(parameters="seed").replace("def train", "@ray.remote\ndef train")
    assert found(tmp_path, {"train.py": f"import ray\n{text}ray.get([train.remote(seed) for seed in range(3)])\n"}) == [
        (10, NO_SEED),
        (14, NEVER_CLEARED.replace("13", "15")),
    ]


STEP = """\
import torch
from torch import nn

{imports}

model = nn.Linear(20, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


def step(x, y):
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    optimizer.zero_grad()


def clean(path):
    return torch.load(path)


def answer(batch):
    # puts the model into train mode again, which calls no function of that name
    model.eval()
    result = model(batch)
    model.train()
    return result


def train(batches):
    other = torch.optim.Adam(model.parameters(), lr=10.0)
    for x, y in batches:
        step(x, y)


{calls}
"""


@pytest.mark.parametrize(
    ("imports", "calls"),
    [
        ("import library", "step = library.compiled(step)\nfor batch in library.batches():\n    step(*batch)"),  # the program may call that
        ("from multiprocessing import Pool", "with Pool(4) as pool:\n    samples = pool.map(clean, ['a.pt', 'b.pt'])"),
        ("import atexit", "atexit.register(clean, 'a.pt')"),
        ("import server", "server.on_request(answer)"),
    ],
)
def test_not_called(tmp_path: Path, imports: str, calls: str) -> None:
    assert found(tmp_path, {"train.py": STEP.format(imports=imports, calls=calls)}) == []


def test_kept_by_an_import(tmp_path: Path) -> None:
    """A file that is imported hands its functions over to be kept: the program may start none of them."""
    kept = RUN.format(parameters="config") + "import registry\nregistry.add('train', train)\n"
    text = "import torch\nfrom kept import train\n\nmodel = torch.nn.Linear(4, 2)\nmodel.eval()\nprint(train, model(torch.ones(1, 4)))\n"
    assert found(tmp_path, {"kept.py": kept, "train.py": text}) == []


def test_range_of_a_choice(tmp_path: Path) -> None:
    """What a search chooses is a number between the ends of its range: no finding is made of either end."""
    text = (
        RUN.format(parameters="trial")
        .replace("lr=1e-3", 'lr=trial.suggest_float("lr", 1e-5, 10.0, log=True)')
        .replace("    for epoch in range(10)", '    for epoch in range(trial.suggest_int("epochs", 1, 50))')
        .replace("            nn.func", "            optimizer.zero_grad()\n            nn.func")
    )
    call = "import optuna\ntorch.manual_seed(0)\nstudy = optuna.create_study()\nstudy.optimize(train, n_trials=60)\nprint(study.best_params['lr'])\n"
    assert found(tmp_path, {"train.py": text + call}) == []
