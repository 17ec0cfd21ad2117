"""Splits that come out differently each time."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, Loop, events
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop, epoch_loop
from advisor.model.randomness import is_random, is_run, library_of, seeds_of, unseeded
from advisor.model.recipe import Fact, Optimizer, Recipe, Split


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each random split without a seed of its own: made again in training, made once per loader, or seeded by nothing."""
    if not is_run(recipe):
        return
    met: dict[object, Split] = {}
    for event, around in events(recipe.tree, Kind.SPLIT):
        split = event.subject
        if not isinstance(split, Split) or not is_random(split):
            continue
        loop = batch_loop(around) or epoch_loop(around)
        first = met.setdefault(split.data.place if isinstance(split.data, Fact) else (split.place, split.data), split)
        if loop is not None and not _is_run(loop):
            yield ctx.finding("again-each-epoch", at=event)
        elif first is not split and split.data is not None and not around.loops and _apart(recipe, first, split):
            yield ctx.finding("once-per-loader", at=event)
        elif first is split:
            yield from _seeded_by_nothing(event, recipe, ctx)


def _seeded_by_nothing(event: Event, recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    library = library_of(event.subject)
    if unseeded(recipe, "torch"):
        return  # missing-seed says it for the whole program
    if "seed" in recipe.owner_silences and recipe.seeds.complete and not seeds_of(recipe, library):
        yield ctx.finding("before-framework", at=event, framework=recipe.framework)
    elif unseeded(recipe, library):
        yield ctx.finding("unseeded", at=event, library=library)
    elif not recipe.seeds.complete:
        ctx.skip(recipe.seeds.why or f"a seed of {library} may be set in what could not be read", event)


def _is_run(loop: Loop) -> bool:
    """True when each turn is a run of its own: a fold or a trial."""
    return any(isinstance(event.subject, Optimizer) for event, _ in events(loop.body, Kind.BUILD))


def _apart(recipe: Recipe, *splits: Split) -> bool:
    """True when loaders of different roles take their samples from the splits."""
    roles = {split: {loader.role for loader in recipe.loaders if loader.dataset and loader.dataset.split is split} for split in splits}
    first, second = (roles[split] for split in splits)
    return bool(first and second and first != second)
