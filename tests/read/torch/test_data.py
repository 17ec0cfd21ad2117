"""Loaders, data sets, samplers, splits; transforms and data of torchvision."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from advisor.model.events import Kind, Loop, walk
from advisor.model.pipelines import pipeline
from advisor.model.source import Known, Unknown, value_of
from advisor.read.python.values import Constant
from tests.read.torch.reading import flow, found, run, value


def test_settings(tmp_path: Path) -> None:
    reader = run(tmp_path, "data = TensorDataset(torch.zeros(100, 2))\nDataLoader(data, 32, True, num_workers=4)\nDataLoader(data, **load())")
    first, second = reader.recipe.loaders.items
    assert [value_of(first.settings[name]) for name in ("batch_size", "shuffle", "num_workers", "drop_last")] == [32, True, 4, False]
    assert first.settings["drop_last"] == Known(False, default="torch 2.13")
    assert isinstance(second.settings["batch_size"], Unknown) and first.dataset is second.dataset


@pytest.mark.parametrize(
    ("loader", "batches"),
    [
        ("DataLoader(data, 32)", 4),
        ("DataLoader(data, 32, drop_last=True)", 3),
        ("DataLoader(data, batch_size=None)", 100),
        ("DataLoader(data, 32, sampler=load())", None),
        ("DataLoader(Subset(data, range(50)), 25)", 2),
        ("DataLoader(random_split(data, [80, 20])[0], 20)", 4),
        ("DataLoader(random_split(data, [0.8, 0.2])[1], 10)", 2),
        ("DataLoader(ConcatDataset([data, data]), 50)", 4),
        ("DataLoader(data, 10, sampler=torch.utils.data.RandomSampler(data, replacement=True, num_samples=50))", 5),
        ("DataLoader(data, 10, sampler=torch.utils.data.DistributedSampler(data))", None),
        ("DataLoader(datasets.MNIST('.', train=True), 100)", 600),
        ("DataLoader(datasets.CIFAR10('.', train=False), 100)", 100),
    ],
)
def test_number_of_batches(tmp_path: Path, loader: str, batches: int | None) -> None:
    data = "data = TensorDataset(torch.randn(100, 2), torch.randint(0, 2, (100,)))"
    text = f"from torchvision import datasets\n{data}\nloader = {loader}\nn = len(loader)"
    held = value(run(tmp_path, text), "n")
    assert held.value == batches if isinstance(held, Constant) else batches is None


def test_batches_are_made_of_the_tensors(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        loader = DataLoader(TensorDataset(torch.randn(100, 7), torch.randint(0, 2, (100,))), 10)
        for epoch in range(3):
            for x, y in loader:
                pass
        a, b = next(iter(loader))
        """,
    )
    assert (flow(reader, "a").rank, value_of(flow(reader, "a").width), flow(reader, "a").part) == (2, 7, (0,))
    assert (flow(reader, "b").rank, flow(reader, "b").dtype, flow(reader, "b").part) == (1, "int64", (1,))
    loops = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Loop)]
    assert [value_of(loop.count) for loop in loops] == [3, 10] and loops[1].over is reader.recipe.loaders.items[0]


def test_data_sets_of_the_project(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        import numpy as np
        from torchvision import transforms as T
        class Images(Dataset):
            def __init__(self, split, transform=None):
                self.split, self.transform = split, transform
                self.rng = np.random.default_rng(0)
            def __len__(self):
                return 10
            def __getitem__(self, index):
                return self.transform(self.rng.normal()), 0
        train = Images("train", T.Compose([T.RandomCrop(32, padding=4), T.ToTensor()]))
        loader = DataLoader(train, 32)
        val = DataLoader(Images("val", T.ToTensor()), 32)
        """,
    )
    train, val = (loader.dataset for loader in reader.recipe.loaders)
    assert train is not None and val is not None
    assert (train.role, val.role) == ("train", "validation")
    assert [step.name for step in train.transforms or []] == ["RandomCrop", "ToTensor"]
    assert train.generator is not None and train.generator.line == 12
    assert value_of((train.transforms or [])[0].settings["padding"]) == 4


FLIP, PLAIN = ["RandomHorizontalFlip"], ["ToTensor"]


@pytest.mark.parametrize(
    ("sample", "train", "val"),
    [
        ("return self.plain(x)", PLAIN, PLAIN),
        ("return self.random(x) if self.mode == 'train' else self.plain(x)", FLIP, PLAIN),
        ("if self.mode in ('train', 'all'):\n            x = self.random(x)\n        return self.plain(x)", [*FLIP, *PLAIN], PLAIN),
        ("if not self.training:\n            return self.plain(x)\n        return self.random(x)", FLIP, PLAIN),
        ("return self.sample(x)", FLIP, FLIP),
        ("return getattr(self, self.name)(x)", [*FLIP, *PLAIN], [*FLIP, *PLAIN]),
        ("return self.random(x) if self.mode == other else self.plain(x)", [*FLIP, *PLAIN], [*FLIP, *PLAIN]),
        ("return x", None, None),
    ],
)
def test_transforms_that_a_sample_meets(tmp_path: Path, sample: str, train: list[str] | None, val: list[str] | None) -> None:
    text = f"""
from torchvision import transforms as T
class Images(Dataset):
    def __init__(self, mode):
        self.mode, self.training = mode, mode == "train"
        self.random, self.plain = T.RandomHorizontalFlip(), T.ToTensor()
    def sample(self, x):
        return self.random(x)
    def __getitem__(self, index):
        x = open(str(index)).read()
        {sample}
train, val = DataLoader(Images("train"), 32), DataLoader(Images("val"), 32)
"""
    found = [loader.dataset for loader in run(tmp_path, text).recipe.loaders]
    names = [None if data is None or data.transforms is None else [step.name for step in data.transforms] for data in found]
    assert names == [train, val]


@pytest.mark.parametrize(
    ("call", "role", "steps"),
    [
        ("D.MNIST('.', train=True, transform=T.ToTensor())", "train", ["ToTensor"]),
        ("D.MNIST('.', False)", "test", []),
        ("D.ImageNet('.', split='val', transform=T.Compose([T.Resize(256), T.CenterCrop(224)]))", "validation", ["Resize", "CenterCrop"]),
        ("D.ImageFolder('data/train', T.RandomApply([T.GaussianBlur(3)], p=0.3))", "train", ["RandomApply", "GaussianBlur"]),
        ("D.ImageFolder(os.path.join('data', 'test'))", "test", []),
        ("D.SVHN('.', 'extra')", "unknown", []),
        ("D.CIFAR10('.', transform=load())", "train", None),
        ("D.CIFAR10('.', transform=T2.Compose([T2.ToImage(), T2.RandomHorizontalFlip(0.3)]))", "train", ["ToImage", "RandomHorizontalFlip"]),
    ],
)
def test_data_of_torchvision(tmp_path: Path, call: str, role: str, steps: list[str] | None) -> None:
    text = "import os\nimport torchvision.datasets as D\nimport torchvision.transforms as T\nfrom torchvision.transforms import v2 as T2\n"
    (data,) = run(tmp_path, f"{text}data = {call}").recipe.datasets
    assert data.role == role
    assert (None if data.transforms is None else [step.name for step in data.transforms]) == steps


def test_splits(tmp_path: Path) -> None:
    reader = run(tmp_path, "whole = TensorDataset(torch.zeros(10, 2))\ntrain, val = random_split(whole, [8, 2])\nDataLoader(train)\nDataLoader(val)")
    split = reader.recipe.splits.items[0]
    first, second = (loader.dataset for loader in reader.recipe.loaders)
    assert first is not None and second is not None and first.origin is second.origin and first.split is second.split is split
    assert (first.part, second.part, first.shuffled) == (0, 1, True)
    assert found(reader, Kind.SPLIT)[0].subject is split
    assert [event.data["use"] for event in found(reader, Kind.DRAW)] == ["split"]


def test_samplers(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler, WeightedRandomSampler
        data = TensorDataset(torch.zeros(10, 2))
        weights = load()
        one = WeightedRandomSampler(weights, num_samples=len(weights), replacement=False)
        two = WeightedRandomSampler(weights, len(data))
        three = WeightedRandomSampler(weights, 5)
        a = DataLoader(data, batch_sampler=BatchSampler(RandomSampler(data), 4, True))
        b = DataLoader(data, sampler=DistributedSampler(data, shuffle=False))
        b.sampler.set_epoch(1)
        a.sampler.set_epoch(1)
        """,
    )
    assert [sampler.draws_all for sampler in reader.recipe.samplers.items[:3]] == [True, True, None]
    first, second = reader.recipe.loaders.items
    assert (value_of(first.settings["batch_size"]), value_of(first.settings["drop_last"])) == (4, True)
    assert [sampler.name for sampler in first.samplers] == ["RandomSampler"]
    assert value_of(second.samplers[0].settings["shuffle"]) is False
    assert found(reader, Kind.SET_EPOCH)[0].subject is second.samplers[0]
    assert "sampler" in reader.recipe.distributed


def test_attributes_set_later(tmp_path: Path) -> None:
    reader = run(tmp_path, "loader = DataLoader(TensorDataset(torch.zeros(4, 2)), 2)\nloader.shuffle = True")
    ((name, setting, place),) = reader.recipe.loaders.items[0].set_later
    assert (name, value_of(setting), place.line) == ("shuffle", True, 7)


def test_parts_of_a_data_set_of_tensors_keep_their_shape(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        data = TensorDataset(torch.randn(100, 7), torch.randint(0, 2, (100,)))
        x, y = data[:10]
        one, label = data[0]
        last = data[10:20][0]
        whole = data.tensors[0]
        """,
    )
    shapes = {name: (flow(reader, name).rank, value_of(flow(reader, name).width)) for name in ("x", "one", "last", "whole")}
    assert shapes == {"x": (2, 7), "one": (1, 7), "last": (2, 7), "whole": (2, 7)}
    assert (flow(reader, "y").rank, flow(reader, "label").rank, flow(reader, "y").dtype) == (1, 0, "int64")



def test_a_pipeline_that_only_follows_another_that_failed(tmp_path: Path) -> None:
    """What stands in an except handler meets no sample that the first one could take."""
    text = """
        from torch.utils.data import DataLoader, Dataset
        from torchvision import transforms
        class Data(Dataset):
            def __init__(self, transform):
                self.transform, self.other = transform, transforms.RandomCrop(8)
            def __getitem__(self, index):
                try:
                    return self.transform(load(index))
                except ValueError:
                    return self.other(load(index))
        loader = DataLoader(Data(transforms.ToTensor()))
    """
    (loader,) = run(tmp_path, textwrap.dedent(text)).recipe.loaders
    assert [step.name for step in pipeline(loader) or []] == ["ToTensor"]
