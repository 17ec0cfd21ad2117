"""Distributed samplers that give the same order in every epoch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, Loop, events
from advisor.model.finding import Finding
from advisor.model.folds import loaders, training_loops
from advisor.model.recipe import Loader, Recipe, Sampler
from advisor.model.source import value_of


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A shuffling DistributedSampler of a loader that is trained on in more than one epoch, with no set_epoch anywhere."""
    recipe = ctx.recipe
    sampler = next((sampler for sampler in loader.samplers if _shuffles(sampler)), None)
    if sampler is None or loader.role == "validation" or loader.role == "test" or "shard" in recipe.owner_silences:
        return
    loops = [loop for loop in training_loops(recipe) if any(held.slot is loader.slot for held in loaders(loop.batch))]
    epochs = [loop.epoch for loop in loops if loop.epoch is not None]
    if not epochs or any(_made_in(epoch, loader) for epoch in epochs):
        return
    told = (event.subject for event, _ in events(recipe.tree, Kind.SET_EPOCH))
    if any(not isinstance(subject, Sampler) or not _of_another(subject, loader, recipe) for subject in told):
        return
    if sampler.escaped or loader.escaped:
        ctx.skip(f"the sampler or its loader was handed to `{sampler.escaped or loader.escaped}`, which could not be read", loader)
        return
    under = sampler.when or loader.when
    yield ctx.finding("same-order" if not under else "same-order-when", at=sampler, confidence="medium" if under else None, when=under or "")


def _of_another(sampler: Sampler, loader: Loader, recipe: Recipe) -> bool:
    """True for the sampler of loaders that are not trained on, and of this one in no way."""
    holders = [other for other in recipe.loaders if any(held.slot is sampler.slot for held in other.samplers)]
    return bool(holders) and all(other.slot is not loader.slot and other.role in ("validation", "test") for other in holders)


def _made_in(epoch: Loop, loader: Loader) -> bool:
    """Whether each epoch makes a data set of its own."""
    made, loop = loader.dataset.place if loader.dataset is not None else None, epoch.place
    return made is not None and made.file == loop.file and loop.line < made.line <= (loop.end_line or loop.line)


def _shuffles(sampler: Sampler) -> bool:
    return sampler.name == "DistributedSampler" and value_of(sampler.settings.get("shuffle")) is True
