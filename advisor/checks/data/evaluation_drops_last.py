"""Validation and test loaders that leave samples out."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.folds import loaders
from advisor.model.modes import evaluation_forwards
from advisor.model.recipe import Loader, Recipe
from advisor.model.source import candidates, first, is_unknown, value_of

EIGHT_BITS = ("fp8", "transformer-engine")  # their products of matrices refuse a last batch of an odd size
ONCE_EACH = ("SequentialSampler", "RandomSampler", "SubsetRandomSampler", "DistributedSampler", "BatchSampler")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each loader with drop_last=True that a model is measured on."""
    dropping = [loader for loader in recipe.loaders if _drops(loader, recipe)]
    if not dropping or recipe.compiled or any(str(known.value).startswith(EIGHT_BITS) for known in candidates(recipe.precision)):
        return
    measured = {held.slot for _, _, loop in evaluation_forwards(recipe) for held in loaders(loop)}
    for loader in dropping:
        if loader.slot in measured:
            yield ctx.finding("left-out", at=loader, value_from=first(loader.settings.get("drop_last")), role=loader.role)


def _drops(loader: Loader, recipe: Recipe) -> bool:
    """True for held-out data with drop_last=True. A shuffled loader whose data are not known to be held out may be the training loader."""
    if loader.role not in ("validation", "test") or value_of(loader.settings.get("drop_last")) is not True:
        return False
    if value_of(loader.settings.get("batch_size")) == 1:
        return False  # every batch is whole
    if any(sampler.name not in ONCE_EACH for sampler in loader.samplers):
        return False  # it may draw samples again, and as many as it likes: none is the last
    data = loader.dataset
    while data is not None and data.role == "unknown" and data.origin is not None:
        data = data.origin
    known = (data is not None and data.role in ("validation", "test")) or _other_part_trains(loader, recipe) or _others_train(loader, recipe)
    shuffle = loader.settings.get("shuffle")
    in_order = not is_unknown(shuffle) and not value_of(shuffle)
    return known or (in_order and (data is None or data.role != "train"))


def _others_train(loader: Loader, recipe: Recipe) -> bool:
    """True for a loader that is measured on, where others are trained on, each of a data set of its own."""
    trained = [other for other in recipe.loaders if other.role == "train"]
    if loader.dataset is None or loader.role_from != "use" or loader.of_training or not trained:
        return False
    return all(other.dataset is not None and other.dataset is not loader.dataset and other.dataset.place != loader.dataset.place for other in trained)


def _other_part_trains(loader: Loader, recipe: Recipe) -> bool:
    """True for one part of a split of which another part is trained on."""
    mine = loader.dataset
    if mine is None or mine.split is None:
        return False
    trained = [other.dataset for other in recipe.loaders if other.role == "train" and other.dataset is not None]
    return any(other.split is mine.split and other.part != mine.part for other in trained)
