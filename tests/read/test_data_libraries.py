"""Data, seeds and processes of libraries beside torch: the facts and events that they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from advisor.model.events import Event, Kind, Loop, walk
from advisor.model.pipelines import is_random
from advisor.model.recipe import Loader, Seed, Split
from advisor.model.source import ABSENT, value_of
from advisor.read.python import imports
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.reader import Reader
from tests.read.tiny import run


def events_of(reader: Reader, kind: Kind) -> list[Event]:
    return [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Event) and node.kind is kind]


def loops_around(reader: Reader, kind: Kind) -> list[tuple[Loop, ...]]:
    return [context.loops for node, context in walk(reader.recipe.tree) if isinstance(node, Event) and node.kind is kind]


SEEDS: list[tuple[str, str, Any]] = [
    ("import random\nrandom.seed(3)", "python", 3),
    ("import numpy as np\nnp.random.seed(3)", "numpy", 3),
    ("from monai.utils import set_determinism\nset_determinism(seed=3)", "framework", 3),
    ("from accelerate.utils import set_seed\nset_seed(3)", "framework", 3),
    ("from transformers import set_seed\nset_seed(3)", "framework", 3),
    ("import pytorch_lightning as pl\npl.seed_everything(3)", "framework", 3),
    ("from detectron2.utils.env import seed_all_rng\nseed_all_rng(3)", "framework", 3),
    ("import colossalai\ncolossalai.launch_from_torch(config={})", "framework", 1024),
]


@pytest.mark.parametrize(("text", "library", "number"), SEEDS, ids=[text.split("\n")[-1] for text, _, _ in SEEDS])
def test_seeds(tmp_path: Path, text: str, library: str, number: int) -> None:
    (event,) = events_of(run(tmp_path, text), Kind.SEED)
    assert isinstance(event.subject, Seed)
    assert (event.subject.generators, value_of(event.subject.value)) == (library, number)


def test_a_folder_named_like_a_library(tmp_path: Path) -> None:
    """Scripts about a library often stand in a folder of its name; a package beside the script is what Python would import."""
    (tmp_path / "project" / "colossalai").mkdir(parents=True)
    (tmp_path / "project" / "setup.py").touch()
    script = tmp_path / "project" / "colossalai" / "train.py"
    script.write_text("import colossalai\ncolossalai.launch_from_torch(config={}, seed=3)\n")
    reader = Reader(project := Project(str(tmp_path / "project")), cast(SourceModule, project.load(str(script))))
    imports.run_module(reader, reader.entry, main=True)
    assert [value_of(event.subject.value) for event in events_of(reader, Kind.SEED)] == [3]
    text = "import random\nimport colossalai\nrandom.seed(colossalai.SEED)"
    (event,) = events_of(run(tmp_path, text, {"colossalai/__init__.py": "SEED = 5\n"}), Kind.SEED)
    assert value_of(event.subject.value) == 5


def test_a_seed_from_the_clock(tmp_path: Path) -> None:
    (event,) = events_of(run(tmp_path, "import random, time\nrandom.seed(int(time.time()) % 1000)"), Kind.SEED)
    assert event.subject.from_clock


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("import random\nrandom.shuffle([1, 2])", "python"),
        ("import numpy as np\nnp.random.permutation(3)", "numpy"),
        ("import random\nrandom.Random(0).shuffle([1, 2])", "own"),
        ("import numpy as np\nnp.random.default_rng(0).permutation(3)", "own"),
        ("import numpy as np\nnp.random.RandomState(0).rand(3)", "own"),
    ],
)
def test_draws(tmp_path: Path, text: str, library: str) -> None:
    assert [event.data["library"] for event in events_of(run(tmp_path, text), Kind.DRAW)] == [library]


@pytest.mark.parametrize(
    ("text", "seed", "draws"),
    [
        ("from sklearn.model_selection import train_test_split\na, b = train_test_split([1, 2, 3])", None, 1),
        ("from sklearn.model_selection import train_test_split\na, b = train_test_split([1, 2, 3], random_state=4)", 4, 0),
        ("from datasets import load_dataset\nx = load_dataset('d', split='train').train_test_split(0.1)['train']", None, 1),
        ("from datasets import load_dataset\nx = load_dataset('d')['train'].map(len).train_test_split(0.1, seed=4)", 4, 0),
    ],
)
def test_splits(tmp_path: Path, text: str, seed: int | None, draws: int) -> None:
    reader = run(tmp_path, text)
    (event,) = events_of(reader, Kind.SPLIT)
    assert isinstance(event.subject, Split)
    assert event.subject.seed is ABSENT if seed is None else value_of(event.subject.seed) == seed
    assert len(events_of(reader, Kind.DRAW)) == draws


TRAINING = """
import torch, itertools, multiprocessing, threading
from tqdm import tqdm
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(8, 2), torch.zeros(8, 1)), batch_size=4)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
def log_every(batches):
    for batch in batches:
        yield batch
def step(x, y):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
def train():
    for x, y in loader:
        step(x, y)
"""


@pytest.mark.parametrize(
    "text",
    [
        "for x, y in log_every(loader):\n    step(x, y)",
        "for i, (x, y) in enumerate(log_every(loader)):\n    step(x, y)",
        "for i, (x, y) in enumerate(tqdm(log_every(loader))):\n    step(x, y)",
        "for i, (x, y) in enumerate(log_every(tqdm(loader))):\n    step(x, y)",
        "for (x, y), k in zip(log_every(loader), range(9)):\n    step(x, y)",
        "for (x, y) in itertools.islice(loader, 3):\n    step(x, y)",
        "for k, (x, y) in zip(itertools.count(), loader):\n    step(x, y)",
        "for (x, y) in itertools.cycle(loader):\n    step(x, y)",
        "threading.Thread(target=train).start()",
        "multiprocessing.Process(target=train, args=()).start()",
    ],
)
def test_the_batch_loop_is_over_the_loader(tmp_path: Path, text: str) -> None:
    (around,) = loops_around(run(tmp_path, TRAINING + text), Kind.BACKWARD)
    assert any(isinstance(loop.over, Loader) for loop in around)


def test_steps_of_environments_are_no_optimizer_steps(tmp_path: Path) -> None:
    reader = run(tmp_path, "import torch, gymnasium as gym\nenv = gym.make('x')\nobs, _ = env.reset(seed=1)\nobs, reward, *_ = env.step(0)")
    assert not events_of(reader, Kind.OPTIMIZER_STEP)


@pytest.mark.parametrize(
    "call", ["logging.info(optimizer)", "print(optimizer)", "pprint.pprint(model)", "wandb.watch(model)", "pickle.dumps(optimizer)"]
)
def test_what_only_shows_takes_nothing(tmp_path: Path, call: str) -> None:
    reader = run(tmp_path, TRAINING + f"import logging, pprint, wandb, pickle\n{call}")
    assert not events_of(reader, Kind.ESCAPE)


def test_albumentations(tmp_path: Path) -> None:
    """Which steps draw a number, and what Normalize is told by its defaults."""
    text = """
        import albumentations as A
        from albumentations.augmentations.transforms import CLAHE
        a = A.Compose([A.Resize(8, 8), A.HorizontalFlip(p=1), A.HorizontalFlip(), CLAHE(always_apply=True), CLAHE(), A.Rotate(p=1), A.Rotate(p=0)])
        b = A.Normalize()
        c = A.Normalize(normalization="min_max")
    """
    names: dict[str, Any] = run(tmp_path, text).entry.namespace
    assert [step.name for step in names["a"].data["steps"] if is_random(step)] == ["HorizontalFlip", "CLAHE", "Rotate"]
    assert value_of(names["b"].fact.settings["mean"]) == (0.485, 0.456, 0.406)
    assert "mean" not in names["c"].fact.settings


def test_the_predictor_of_sliding_windows(tmp_path: Path) -> None:
    """Each window goes through the model that stands fourth, or is called predictor."""
    text = """
        import torch
        from monai.inferers import sliding_window_inference
        model = torch.nn.Conv2d(1, 2, 3)
        x = torch.zeros(1, 1, 64, 64)
        sliding_window_inference(x, (32, 32), 4, model)
        sliding_window_inference(inputs=x, roi_size=32, sw_batch_size=4, predictor=lambda patch: model(patch), overlap=0.5)
    """
    reader = run(tmp_path, text)
    assert [(event.place.line, event.subject.name) for event in events_of(reader, Kind.FORWARD)] == [(6, "Conv2d"), (7, "Conv2d")]
    assert not events_of(reader, Kind.ESCAPE)


TEXT_LOADERS: list[tuple[str, list[tuple[Any, Any]]]] = [
    ("splits((train, valid, test), batch_size=32, sort_key=len)", [(32, True), (32, False), (32, False)]),
    ("splits((train, test), batch_size=32, shuffle=True)", [(32, True), (32, True)]),
    ("splits((train, test), batch_sizes=(32, 256))", [(None, True), (None, False)]),
    ("splits(everything, batch_size=32)", []),
]


@pytest.mark.parametrize("room", ["torchtext.data", "torchtext.legacy.data"])
@pytest.mark.parametrize(("call", "wanted"), TEXT_LOADERS, ids=[call for call, _ in TEXT_LOADERS])
def test_iterators_of_torchtext(tmp_path: Path, room: str, call: str, wanted: list[tuple[Any, Any]]) -> None:
    """(batch size, shuffled) of each; None where it is not told."""
    reader = run(tmp_path, f"from {room} import BucketIterator\nx = BucketIterator.{call}")
    assert [(value_of(one.settings["batch_size"]), value_of(one.settings["shuffle"])) for one in reader.recipe.loaders] == wanted


def test_one_iterator_of_torchtext(tmp_path: Path) -> None:
    text = "from torchtext import data\na = data.Iterator(x, 8)\nb = data.Iterator(x, 8, train=False)\nc = data.BPTTIterator(x, 8, 35)"
    loaders = list(run(tmp_path, text).recipe.loaders)
    assert [value_of(one.settings["shuffle"]) for one in loaders] == [True, False, None]
    assert [value_of(one.settings["batch_size"]) for one in loaders] == [8, 8, 8]
