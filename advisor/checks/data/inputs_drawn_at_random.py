"""Inputs that the data set makes up."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CLASSIFICATION, trained_on
from advisor.model.recipe import Loader


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A loader that trains a classifier, whose data set draws each input from nothing; generators are given noise on purpose."""
    if not any(loss.name in CLASSIFICATION for loss in trained_on(ctx.recipe)):
        return
    dataset = loader.dataset
    while dataset is not None and dataset.placeholder is None:
        dataset = dataset.origin
    if dataset is not None and dataset.placeholder is not None and loader.role == "train" and ctx.recipe.trains:
        case = "placeholder" if dataset.placeholder_key is None else "part"
        yield ctx.finding(case, at=dataset.placeholder, dataset=dataset, part=dataset.placeholder_key)
