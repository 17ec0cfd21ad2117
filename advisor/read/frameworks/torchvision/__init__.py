"""torchvision: models with their layers and pretrained weights, transforms, data sets."""

from __future__ import annotations

from advisor.read.frameworks import table

VERSION = "torchvision 0.29"
table.VERSIONS["torchvision"] = VERSION
ROOMS = (
    "torchvision.models.detection.",
    "torchvision.models.segmentation.",
    "torchvision.models.video.",
    "torchvision.models.",
    "torchvision.datasets.",
    "torchvision.transforms.v2.functional.",
    "torchvision.transforms.v2.",
    "torchvision.transforms.functional.",
    "torchvision.transforms.",
)
FILES = ("datasets", "transforms", "models")


def canonical(name: str) -> str:
    """torchvision.models.resnet.resnet50 -> torchvision.models.resnet50; a file's name between room and object says nothing."""
    for room in ROOMS:
        if name.startswith(room):
            parts = name.removeprefix(room).split(".")
            if len(parts) == 2 and parts[0].islower() and not parts[0][:1].isupper() and not parts[1].startswith("from_"):
                return room + parts[1] if parts[0] not in ("functional", "v2", "__dict__") else name
            return name
    return name


table.RENAMES["torchvision"] = canonical

from advisor.read.frameworks.torchvision import datasets, models, transforms  # noqa: E402

__all__ = ["datasets", "models", "transforms"]
