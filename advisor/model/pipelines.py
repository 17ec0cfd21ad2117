"""Transforms of a loader's data: the whole pipeline, what is random in it, how it normalises."""

from __future__ import annotations

from advisor.model.recipe import Dataset, Loader, Transform
from advisor.model.source import Setting, is_absent, is_none, number, value_of

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
    {  # of Albumentations, where the others draw a number
        "CenterCrop",
        "Crop",
        "Equalize",
        "FromFloat",
        "InvertImg",
        "Lambda",
        "LongestMaxSize",
        "NoOp",
        "Normalize",
        "Pad",
        "PadIfNeeded",
        "Resize",
        "SelectiveChannelTransform",
        "SmallestMaxSize",
        "ToFloat",
        "ToGray",
        "ToRGB",
        "ToSepia",
    }
)
STEADY_WHEN_ALWAYS = frozenset(
    {  # of Albumentations, what prepares every image alike where nothing is left to chance, or turns it for an average of predictions
        "Blur",
        "CLAHE",
        "FancyPCA",
        "GaussianBlur",
        "HorizontalFlip",
        "ImageCompression",
        "MedianBlur",
        "Sharpen",
        "Transpose",
        "UnsharpMask",
        "VerticalFlip",
    }
)


HOLDERS = ("RandomApply", "RandomChoice", "RandomOrder", "OneOf", "SomeOf", "OneOrOther")  # steps that hold steps, of which each sample takes some
BY_ENCODER = "segmentation_models_pytorch.encoders.preprocess_input"  # divides by 255, and normalises with the numbers of an encoder
SCALING = ("ToTensor", "ConvertImageDtype", "ToDtype", "ConvertDtype")
STRENGTHS = {  # of torchvision, what decides how much a random step changes: none of it, and nothing is drawn
    "ColorJitter": ("brightness", "contrast", "saturation", "hue"),
    "RandomRotation": ("degrees",),
    "RandomAffine": ("degrees", "translate", "scale", "shear"),
}
UNCHANGED = ("RandMark", "RandRange", "RandIdentity", "RandomOrder", "Randomizable")  # of MONAI's Rand..., what draws no change of a sample


def pipeline(loader: Loader) -> list[Transform] | None:
    """The transforms that the loader's samples go through, its own data set's or that of what it was cut from; None when not known.

    A data set that is given others in between has those with which the last loop over the loader begins.
    """
    return loader.pipelines[-1] if loader.pipelines else steps(loader.dataset)


def steps(dataset: Dataset | None) -> list[Transform] | None:
    """The transforms of a data set, or of what it was cut from; None when they are not known."""
    while dataset is not None:
        if dataset.transforms is not None:
            return dataset.transforms
        dataset = dataset.origin
    return None


def drawn(dataset: Dataset | None) -> list[Transform]:
    """The random changes that the class of a data set makes, or of what it was cut from."""
    while dataset is not None:
        if dataset.drawn_changes:
            return list(dataset.drawn_changes)
        dataset = dataset.origin
    return []


def augmentations(transforms: list[Transform]) -> list[Transform]:
    """The random steps that change a sample as a whole; one that changes only some of its items may make the task, as noise does for a denoiser."""
    found: list[Transform] = []
    items: set[str] = set()
    for transform in transforms:
        keys = _items(transform)
        if is_random(transform) and (keys is None or (keys and keys >= items)):
            found.append(transform)
        items |= keys or set()
        items |= _texts(transform.settings.get("names")) if transform.name.startswith("CopyItems") else set()
    return found


def _items(transform: Transform) -> set[str] | None:
    """The items of a sample that a step of MONAI changes, empty when they are not known; None for one that is no dict."""
    keys = transform.settings.get("keys")
    plain = keys is None or is_absent(keys) or isinstance(value_of(keys), (int, float))
    return None if plain else _texts(keys)


def _texts(names: Setting | None) -> set[str]:
    held = value_of(names)
    listed = (held,) if isinstance(held, str) else held if isinstance(held, (list, tuple)) else ()
    return {name for name in listed if isinstance(name, str)}


def is_random(transform: Transform) -> bool:
    """True for a transform that gives another result each time."""
    if 0 in (number(transform.settings.get("p")), number(transform.settings.get("prob"))):
        return False
    if transform.kind.startswith("monai."):
        centred = value_of(transform.settings.get("random_center")) is False and value_of(transform.settings.get("random_size")) is not True
        return transform.name.startswith(("Rand", "SignalRand")) and not transform.name.startswith(UNCHANGED) and not centred
    if transform.kind.startswith("albumentations."):
        always = number(transform.settings.get("p")) == 1 or value_of(transform.settings.get("always_apply")) is True
        return not (transform.name in STEADY or transform.name.startswith("ToTensor") or (always and transform.name in STEADY_WHEN_ALWAYS))
    if not transform.kind.startswith(LIBRARIES) or _of_no_strength(transform):
        return False
    return transform.name.startswith("Random") or transform.name in RANDOM


def _of_no_strength(transform: Transform) -> bool:
    """True for `ColorJitter()` and `RandomRotation(0)`, which hand on what they get."""
    strengths = STRENGTHS.get(transform.name, ()) if transform.kind.startswith("torchvision.") else ()
    settings = [transform.settings.get(name) for name in strengths]
    return bool(strengths) and all(is_none(strength) or number(strength) == 0 for strength in settings)


def normalization(transforms: list[Transform]) -> Transform | None:
    """The last step that normalises with fixed numbers."""
    return next((transform for transform in reversed(transforms) if transform.name == "Normalize"), None)


def note_again(transforms: list[Transform] | None) -> None:
    """Notes in one pipeline a step that brings what is normalised to statistics of images again; one that undoes another has other numbers."""
    if transforms is None or any(step.name in HOLDERS for step in transforms):
        return
    found = [step for step in transforms if step.when is None and _normalizes(step)]
    if len(found) > 1 and found[0].place != found[1].place:
        found[1].again = found[0].place


def _normalizes(step: Transform) -> bool:
    if step.name == "Lambda":
        return value_of(step.settings.get("image")) == BY_ENCODER
    held = [value_of(step.settings.get(name)) for name in ("mean", "std")] if step.name == "Normalize" else []
    numbers = [number for value in held for number in (value if isinstance(value, (tuple, list)) else [value])]
    return bool(numbers) and all(isinstance(number, float) and 0 < number < 1 for number in numbers)


def scales(transforms: list[Transform]) -> bool:
    """True when a step brings pixels from 0-255 to 0-1."""
    return any(transform.name in SCALING for transform in transforms)


def understood(transforms: list[Transform]) -> bool:
    """True when every step is one of a library, so that nothing of the project normalises in its place."""
    return bool(transforms) and all(transform.kind.startswith(LIBRARIES) for transform in transforms)
