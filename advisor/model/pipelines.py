"""Transforms of a loader's data: the whole pipeline, what is random in it, how it normalises."""

from __future__ import annotations

from advisor.model.recipe import Dataset, Loader, Transform
from advisor.model.source import number

LIBRARIES = ("torchvision.", "albumentations.", "torchaudio.", "kornia.")
RANDOM = frozenset(
    {
        "ColorJitter",
        "AutoAugment",
        "RandAugment",
        "TrivialAugmentWide",
        "AugMix",
        "GaussianNoise",
        "ElasticTransform",
        "ScaleJitter",
        "MixUp",
        "CutMix",
        "FrequencyMasking",
        "TimeMasking",
    }
)
STEADY = frozenset(
    {  # of albumentations, where the others draw a number
        "Compose",
        "Resize",
        "Normalize",
        "CenterCrop",
        "PadIfNeeded",
        "LongestMaxSize",
        "SmallestMaxSize",
        "ToFloat",
        "FromFloat",
        "ToTensorV2",
        "Crop",
        "Lambda",
        "ToGray",
        "Sequential",
        "NoOp",
        "SelectiveChannelTransform",
    }
)


def pipeline(loader: Loader) -> list[Transform] | None:
    """The transforms that the loader's samples go through, its own data set's or that of what it was cut from; None when not known."""
    dataset: Dataset | None = loader.dataset
    while dataset is not None:
        if dataset.transforms is not None:
            return dataset.transforms
        dataset = dataset.origin
    return None


def is_random(transform: Transform) -> bool:
    """True for a transform that gives another result each time."""
    chance = number(transform.settings.get("p"))
    if chance == 0:
        return False
    if transform.kind.startswith("albumentations."):
        return transform.name not in STEADY and not transform.name.startswith("ToTensor")
    if not transform.kind.startswith(LIBRARIES):
        return False
    return transform.name.startswith("Random") or transform.name in RANDOM


def normalization(transforms: list[Transform]) -> Transform | None:
    """The last step that normalises with fixed numbers."""
    return next((transform for transform in reversed(transforms) if transform.name == "Normalize"), None)


def understood(transforms: list[Transform]) -> bool:
    """True when every step is one of a library, so that nothing of the project normalises in its place."""
    return bool(transforms) and all(transform.kind.startswith(LIBRARIES) for transform in transforms)
