"""Where random numbers reach training, and which seed covers them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from advisor.model.events import Context, Event, Kind, events
from advisor.model.kinds import WEIGHTED, is_pretrained, layers
from advisor.model.recipe import Loader, Module, Recipe, Seed, Split
from advisor.model.source import Known, is_absent, value_of

Library = Literal["torch", "numpy", "python"]

STEERING = frozenset({"init", "split", "shuffle", "sampling"})  # uses of random numbers that the result of a run hangs on
TORCH_SPLITS = ("torch.", "lightning.", "pytorch_lightning.", "torch_geometric.")


def is_run(recipe: Recipe) -> bool:
    """True for a whole program that trains: a backward alone may only explain a prediction."""
    return recipe.trains and recipe.whole and (bool(recipe.optimizers.items) or recipe.framework != "plain")


def seeds_of(recipe: Recipe, library: Library) -> list[Seed]:
    """The calls that seed this library, those of frameworks included."""
    return [seed for seed in recipe.seeds if seed.library in (library, "framework")]


def set_by_default(seed: Seed) -> bool:
    """True unless the seed is set only under a flag that is off by default."""
    return seed.conditional == "always" or not seed.flag_off


def unseeded(recipe: Recipe, library: Library) -> bool:
    """True when the whole program was seen and nothing seeds the library."""
    return recipe.seeds.complete and not seeds_of(recipe, library) and "seed" not in recipe.owner_silences


def library_of(split: Split) -> Library:
    """Which library's random numbers a split draws."""
    if split.kind.startswith(TORCH_SPLITS):
        return "torch"
    return "python" if split.kind.startswith("random.") else "numpy"


def is_random(split: Split) -> bool:
    """True when the split draws from the global random numbers: no seed and no generator of its own, and not without a shuffle."""
    own = not is_absent(split.seed) and not (isinstance(split.seed, Known) and split.seed.value is None)
    return not own and value_of(split.shuffle) is not False


def draws(recipe: Recipe, library: Library) -> Iterator[tuple[Event, Context]]:
    """What draws random numbers of the library that the result hangs on, in order: weights, splits, shuffles."""
    for event, context in events(recipe.tree, Kind.DRAW, Kind.BUILD, Kind.SPLIT):
        if event.kind is Kind.BUILD:
            if library == "torch" and isinstance(event.subject, Module) and initialises(recipe, event.subject):
                yield event, context
        elif event.kind is Kind.SPLIT:
            if is_random(event.subject) and library_of(event.subject) == library:
                yield event, context
        elif event.data.get("library") == library and event.data.get("use") in STEERING:
            yield event, context


def initialises(recipe: Recipe, module: Module) -> bool:
    """True for a whole model whose weights are drawn when it is built."""
    return module in recipe.models.items and bool(layers([module], WEIGHTED)) and not is_pretrained([module])


def first_need(recipe: Recipe) -> Event | None:
    """The first thing that needs a seed: a model that is trained built, numbers drawn, or else the first backward."""
    trained = {module for optimizer in recipe.optimizers for module in optimizer.modules}
    models = [model for model in recipe.models if not trained or not trained.isdisjoint(model.walk())]
    for event, _ in events(recipe.tree, Kind.DRAW, Kind.BUILD, Kind.SPLIT, Kind.BACKWARD):
        if event.kind is Kind.BUILD and event.subject not in models:
            continue
        if event.kind is Kind.SPLIT and not is_random(event.subject):
            continue
        if event.kind is Kind.DRAW and event.data.get("use") not in STEERING - {"init"}:
            continue  # weights are drawn while their model is built, which says it better
        return event
    return None


def shuffles(loader: object) -> bool:
    """True for a loader that puts its samples in a random order."""
    return isinstance(loader, Loader) and value_of(loader.settings.get("shuffle")) is True
