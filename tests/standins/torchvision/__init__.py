"""Stands in for torchvision where only small data and transforms are needed."""

from torchvision import datasets, transforms, utils

__version__ = "0.0"
