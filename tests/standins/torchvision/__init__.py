"""Stands in for torchvision where only small data and transforms are needed."""

from torchvision import datasets, models, transforms, utils

__version__ = "0.0"
