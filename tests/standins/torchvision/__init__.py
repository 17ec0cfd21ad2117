"""Stands in for torchvision where only small data and transforms are needed."""

from torchvision import datasets, models, transforms, utils  # noqa: F401

__version__ = "0.0"
