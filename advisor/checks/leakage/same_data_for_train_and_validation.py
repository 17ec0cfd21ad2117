"""Validation on the samples that the model is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Dataset, Loader, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """An evaluation loader over the training set, where no other loader evaluates on anything else."""
    training = [loader for loader in recipe.loaders if loader.role == "train" and loader.dataset is not None]
    judged = [loader for loader in recipe.loaders if loader.role in ("validation", "test") and loader.iterated]
    if not training or not judged or not recipe.loaders.complete:
        return
    if not all(any(_same(loader, other) for other in training) for loader in judged):
        return
    loader = judged[0]
    other = next(other for other in training if _same(loader, other))
    if loader.slot is other.slot:
        return
    unsure = loader.when or other.when or loader.escaped
    yield ctx.finding("same-samples", at=loader, confidence="medium" if unsure else None, line=other.place.line, role=loader.role)


def _same(loader: Loader, other: Loader) -> bool:
    mine, its = loader.dataset, other.dataset
    if mine is None or its is None:
        return False
    return mine is its or (_identity(mine) is not None and _identity(mine) == _identity(its))


def _identity(dataset: Dataset) -> object:
    """What tells the samples of two data sets apart: the part of a split that they are, or a published data set and which part of it."""
    if dataset.split is not None and dataset.part is not None:
        return dataset.split, dataset.part
    published = dataset.origin is None and not dataset.user_class and dataset.role != "unknown"
    return ("data", dataset.data) if published and dataset.data is not None else None
