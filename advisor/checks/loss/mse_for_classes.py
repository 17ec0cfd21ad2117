"""A distance between class numbers, or between one-hot vectors, as the loss of a classifier."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.losses import DISTANCE, uses
from advisor.model.recipe import Dataset, Flow, Loader, Recipe

LABELLED = frozenset({
    "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST", "CIFAR10", "CIFAR100", "SVHN", "STL10", "ImageNet", "ImageFolder", "USPS",
    "GTSRB", "Flowers102", "OxfordIIITPet", "Food101", "Caltech101",
})  # fmt: skip
SQUASHING = frozenset({"softmax", "sigmoid"})  # their own gradient goes to zero where they are sure, rightly or wrongly


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Distances whose target is a one-hot vector, or the label of a data set known to hold classes."""
    for use in uses(recipe, DISTANCE):
        if use.target is None or use.target.modules or use.target.graph != "none":
            continue
        if use.target.one_hot:
            squashed = use.input.activation if use.input is not None and use.input.activation in SQUASHING else None
            if squashed is not None and training_loop(use.context) is None:
                continue  # an evaluation has no gradient
            if squashed is not None:
                yield ctx.finding("fading", at=use.place, loss=use.loss.name, activation=squashed)
            else:
                yield ctx.finding("one-hot", at=use.place, loss=use.loss.name)
        elif is_label(use.target) and use.input is not None and use.input.modules:
            yield ctx.finding("label", at=use.place, loss=use.loss.name)


def is_label(target: Flow) -> bool:
    """True when this is the second item of a batch of a classification data set."""
    data = target.source.dataset if isinstance(target.source, Loader) else target.source
    while isinstance(data, Dataset) and data.origin is not None:
        data = data.origin
    return isinstance(data, Dataset) and data.kind.startswith("torchvision.") and data.kind.rsplit(".", 1)[-1] in LABELLED and target.part == (1,)
