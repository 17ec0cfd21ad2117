"""torchvision.datasets: which part of which published data a program takes, and through which transforms."""

from __future__ import annotations

from typing import Any

from advisor.model.recipe import Dataset, Flow, Role, Transform
from advisor.model.source import Known, Setting, Unknown, first
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.datasets import made, role_of_words
from advisor.read.frameworks.torchvision.transforms import steps_of
from advisor.read.python.values import Constant, Instance, Opaque, Value, setting

ROOT = "torchvision.datasets."
_TRAIN = "root, train=True, transform=None, target_transform=None, download=False"
_SPLIT = "root, split='train', transform=None, target_transform=None, download=False"
SIGNATURES = {
    **dict.fromkeys(("MNIST", "FashionMNIST", "KMNIST", "CIFAR10", "CIFAR100", "USPS"), _TRAIN),
    "QMNIST": "root, what=None, compat=True, train=True, transform=None, target_transform=None, download=False",
    "EMNIST": "root, split, train=True, transform=None, target_transform=None, download=False",
    "ImageNet": "root, split='train', transform=None, target_transform=None",
    "STL10": "root, split='train', folds=None, transform=None, target_transform=None, download=False",
    **dict.fromkeys(("SVHN", "Flowers102", "Food101", "StanfordCars", "GTSRB", "PCAM", "Country211", "RenderedSST2", "FER2013"), _SPLIT),
    "DTD": "root, split='train', partition=1, transform=None, target_transform=None, download=False",
    "CelebA": "root, split='train', target_type='attr', transform=None, target_transform=None, download=False",
    "OxfordIIITPet": "root, split='trainval', target_types='category', transforms=None, transform=None, target_transform=None, download=False",
    "FGVCAircraft": "root, split='trainval', annotation_level='variant', transform=None, target_transform=None, download=False",
    "Places365": "root, split='train-standard', small=False, download=False, transform=None, target_transform=None",
    "Imagenette": "root, split='train', size='full', download=False, transform=None, target_transform=None",
    "ImageFolder": "root, transform=None, target_transform=None, loader=None, is_valid_file=None, allow_empty=False",
    "DatasetFolder": "root, loader, extensions=None, transform=None, target_transform=None, is_valid_file=None, allow_empty=False",
    "FakeData": "size=1000, image_size=(3, 224, 224), num_classes=10, transform=None, target_transform=None, random_offset=0",
    **dict.fromkeys(("Caltech256", "SUN397", "EuroSAT", "SEMEION"), "root, transform=None, target_transform=None, download=False"),
    "Caltech101": "root, target_type='category', transform=None, target_transform=None, download=False",
    "Omniglot": "root, background=True, transform=None, target_transform=None, download=False",
    **dict.fromkeys(("CocoDetection", "CocoCaptions"), "root, annFile, transform=None, target_transform=None, transforms=None"),
    **dict.fromkeys(
        ("VOCSegmentation", "VOCDetection"),
        "root, year='2012', image_set='train', download=False, transform=None, target_transform=None, transforms=None",
    ),
    "Cityscapes": "root, split='train', mode='fine', target_type='instance', transform=None, target_transform=None, transforms=None",
    "SBDataset": "root, image_set='train', mode='boundaries', download=False, transforms=None",
}
SIZES: dict[str, dict[Role, int]] = {
    **{name: {"train": 60_000, "test": 10_000} for name in ("MNIST", "FashionMNIST", "KMNIST", "QMNIST")},
    **{name: {"train": 50_000, "test": 10_000} for name in ("CIFAR10", "CIFAR100")},
    "SVHN": {"train": 73_257, "test": 26_032},
    "STL10": {"train": 5_000, "test": 8_000},
    "USPS": {"train": 7_291, "test": 2_007},
    "Flowers102": {"train": 1_020, "validation": 1_020, "test": 6_149},
    "Food101": {"train": 75_750, "test": 25_250},
}
CLASSES = frozenset(SIGNATURES) - {"CelebA", "CocoDetection", "CocoCaptions", "VOCSegmentation", "VOCDetection", "Cityscapes", "SBDataset"}
PARTS = ("train", "split", "image_set")  # arguments that say which part it is


def build(call: LibraryCall) -> Value:
    """A published data set, or one read from folders."""
    name = call.name.removeprefix(ROOT)
    fact = Dataset(call.place, kind=call.name)
    text = SIGNATURES.get(name)
    names: dict[str, Any] = signature(text) if text is not None else {}
    fact.settings = call.settings(names) if names else {key: setting(value) for key, value in call.arguments.keywords.items()}
    order = list(names)
    fact.role = _role(call, order, fact.settings)
    fact.transforms = _transforms(call, order)
    if name in CLASSES:
        fact.items = (Flow(graph="none"), Flow(graph="none", rank=1, dtype="int64"))
    fact.settings["length"] = _length(call, name, fact, order)
    root = text_of(call.get("root", 0)) if "root" in names else None
    part = next((known.value for key in PARTS if (known := first(fact.settings.get(key))) is not None), None)
    fact.data = (call.name, root, part) if root is not None or part is not None else None
    attributes: dict[str, Value] = {}
    for key in ("transform", "target_transform", "root"):
        value = call.get(key, order.index(key)) if key in names else None
        if value is not None:
            attributes[key] = value
    return made(call, fact, attributes=attributes)


def _role(call: LibraryCall, order: list[str], settings: dict[str, Setting]) -> Role:
    """train=, split= and image_set= say it; a folder's name does where nothing else can."""
    known = first(settings.get("train"))
    if known is not None:
        return "train" if known.value else "test"
    for key in ("split", "image_set"):
        known = first(settings.get(key))
        if known is not None and isinstance(known.value, str) and "train" not in settings:
            return role_of_words(known.value)
    if "split" in settings or "train" in settings:
        return "unknown"
    root = text_of(call.get("root", 0))
    words = [role_of_words(word) for word in reversed((root or "").replace("\\", "/").split("/"))]
    return next((word for word in words if word != "unknown"), "unknown")


def _transforms(call: LibraryCall, order: list[str]) -> list[Transform] | None:
    """The steps that an image goes through; none given is a pipeline without steps."""
    value = call.get("transform", order.index("transform") if "transform" in order else None)
    joint = call.get("transforms", order.index("transforms") if "transforms" in order else None)
    if joint is not None and not (isinstance(joint, Constant) and joint.value is None):
        return steps_of(joint)
    if value is None or (isinstance(value, Constant) and value.value is None):
        return [] if call.arguments.exact else None
    return steps_of(value) if isinstance(value, Instance) or not isinstance(value, Opaque) else None


def _length(call: LibraryCall, name: str, fact: Dataset, order: list[str]) -> Setting:
    if name == "FakeData":
        return fact.settings.get("size", Unknown("the number of samples is not known"))
    size = SIZES.get(name, {}).get(fact.role)
    return Known(size, default=name) if size is not None else Unknown("the number of samples is not known")


@table.prefix("torchvision.datasets")
def dataset(call: LibraryCall) -> Value | None:
    """datasets.CIFAR10(root, train=True, transform=...)"""
    last = call.name.rpartition(".")[2]
    if not last[:1].isupper():
        return None
    return build(call)


for _name in (*SIGNATURES, "VisionDataset", "Kinetics", "UCF101", "HMDB51", "WIDERFace", "INaturalist"):
    table.CLASS_ROLES[ROOT + _name] = "dataset"


@table.method("dataset", "__init__")
def init(call: LibraryCall) -> Value | None:
    """super().__init__(...) of a class derived from a published data set."""
    fact, name = call.this.fact, call.this.kind.removeprefix(ROOT)
    if isinstance(fact, Dataset) and name in SIGNATURES:
        names = signature(SIGNATURES[name])
        fact.settings.update(call.settings(names))
        fact.role = _role(call, list(names), fact.settings)
        fact.transforms = _transforms(call, list(names))
        for key in ("transform", "target_transform", "root"):
            value = call.get(key, list(names).index(key)) if key in names else None
            if value is not None:
                call.reader.store.write(call.this.attributes, key, value)
    return None
