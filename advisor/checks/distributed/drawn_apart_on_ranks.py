"""Rows that each process splits, or puts in order, by random numbers of its own."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import needs_flag
from advisor.model.randomness import apart_from_training, is_random, is_run, library_of, unseeded, where_missing
from advisor.model.recipe import Recipe, Sampler
from advisor.model.sharding import asks_rank, by_all, draw_apart, prepared, replicated, some_ranks
from advisor.model.source import DRAWN, Known, Unknown

SHARING = "DistributedSampler"


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each draw without a seed in a program of several processes; what one of them sends to the others is theirs too."""
    if not is_run(recipe) or recipe.framework != "plain" or not draw_apart(recipe):
        return
    if any("broadcast" in event.data["what"] for event, _ in events(recipe.tree, Kind.COLLECTIVE)):
        return
    yield from _by_own_seed(recipe, ctx)
    for event, around in events(recipe.tree, Kind.SPLIT, Kind.DRAW):
        if needs_flag(around) is not None or where_missing(event, around) or apart_from_training(recipe, around):
            continue
        if some_ranks(around, recipe, event) is not None or asks_rank(around) or not by_all(event, recipe):
            continue
        yield from _of_split(recipe, event, ctx) if event.kind is Kind.SPLIT else _of_order(recipe, event, ctx)


def _by_own_seed(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A sampler that shares the rows out in the order of a seed which each process drew for itself."""
    if any("gather" in event.data["what"] for event, _ in events(recipe.tree, Kind.COLLECTIVE)):
        return
    if any(isinstance(seed.value, Known) for seed in recipe.seeds) or not (unseeded(recipe, "python") and unseeded(recipe, "numpy")):
        return
    for loader in recipe.loaders:
        for sampler in loader.samplers if loader.role == "train" else ():
            seed = sampler.settings.get("seed")
            if sampler.name == SHARING and not sampler.when and isinstance(seed, Unknown) and seed.why == DRAWN and replicated(recipe) is not None:
                yield ctx.finding("seed", at=sampler)


def _of_split(recipe: Recipe, event: Event, ctx: Context) -> Iterator[Finding]:
    split, model = event.subject, replicated(recipe)
    by_accelerate = model is None and prepared(recipe) is not None
    if (model is None and not by_accelerate) or (model is not None and model.when):
        return
    if split.dropped or not is_random(split) or not unseeded(recipe, library_of(split)):
        return
    roles = {loader.role for loader in recipe.loaders if loader.dataset is not None and loader.dataset.cut_by(split)}
    if "train" in roles and not roles.isdisjoint(("validation", "test")):
        at = split.order[1] if split.order is not None else event
        yield ctx.finding("split-prepared" if by_accelerate else "split", at=at, library=library_of(split))


def _of_order(recipe: Recipe, event: Event, ctx: Context) -> Iterator[Finding]:
    sampler, library = _shares_out(recipe, event), event.data["library"]
    if sampler is not None and library != "own" and unseeded(recipe, library):
        yield ctx.finding("order", at=event, what=event.data["what"], library=library, line=sampler.place)


def _shares_out(recipe: Recipe, event: Event) -> Sampler | None:
    """The sampler that gives each process the rows of some numbers, in an order that this draws."""
    held = (sampler for loader in recipe.loaders if loader.role == "train" for sampler in loader.samplers)
    return next((sampler for sampler in held if sampler.ordered == event.place and not sampler.when), None)
