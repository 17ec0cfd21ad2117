"""Splits that come out differently each time."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Call, Event, Kind, Loop, events
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop, epoch_loop
from advisor.model.randomness import apart_from_training, is_random, is_run, library_of, seeds_of, unseeded, where_missing
from advisor.model.recipe import Dataset, Fact, Loader, Optimizer, Recipe, Role, Split
from advisor.model.source import Link, Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each random split without a seed of its own: made again in training, made once per loader, or seeded by nothing."""
    if not is_run(recipe):
        return
    met: dict[object, Split] = {}
    for event, around in events(recipe.tree, Kind.SPLIT):
        split = event.subject
        if not isinstance(split, Split) or split.dropped or not is_random(split) or apart_from_training(recipe, around):
            continue
        loop = batch_loop(around) or epoch_loop(around)
        first = met.setdefault(split.data.place if isinstance(split.data, Fact) else (split.place, split.data), split)
        if loop is not None and not _is_run(loop):
            if split.order is not None:
                continue  # an order drawn for the batches of an epoch, whatever is sliced off it
            call = next((node for node in around.path[around.path.index(loop) :] if isinstance(node, Call)), None)  # a helper may split as it likes
            link = Link(event.place.file, event.place.line, "where the data are split")
            yield ctx.finding("again-each-epoch", at=event if call is None else call.place, evidence=[link])
        elif first is not split and split.data is not None and not around.loops and _apart(recipe, first, split):
            yield ctx.finding("once-per-loader", at=event)
        elif first is split and not where_missing(event, around):
            yield from _seeded_by_nothing(event, recipe, ctx)
    for event in _drawn_per_loader(recipe):
        yield ctx.finding("drawn-per-loader", at=event)


def _drawn_per_loader(recipe: Recipe) -> Iterator[Event]:
    """Rows put in random order before a split, by a function that is called once for each loader: each call cuts other rows apart."""
    splitting = {call for _, around in events(recipe.tree, Kind.SPLIT) for call in around.calls}
    loading = {call for event, around in events(recipe.tree, Kind.BUILD) if isinstance(event.subject, Loader) for call in around.calls}
    made: dict[Place, dict[Event, set[Role]]] = {}
    for event, around in events(recipe.tree, Kind.DRAW):
        if event.data.get("use") != "shuffle":
            continue
        call = next((call for call in reversed(around.calls) if call in splitting and call in loading), None)
        if call is None:
            continue
        inside = [other for other, _ in events(call.body)]
        before, behind = inside[: inside.index(event)], inside[inside.index(event) :]
        if any(other.kind is Kind.SEED for other in before) or not any(other.kind is Kind.SPLIT for other in behind):
            continue
        roles = {other.subject.role for other in behind if other.kind is Kind.BUILD and isinstance(other.subject, Loader)}
        made.setdefault(event.place, {})[event] = roles
    for drawn in made.values():
        apart = [roles for roles in drawn.values() if len(roles) == 1]
        if len(apart) == len(drawn) > 1 and {"train"} in apart and any(roles <= {"validation", "test"} for roles in apart):
            yield next(iter(drawn))


def _seeded_by_nothing(event: Event, recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    split = event.subject
    library, at = library_of(split), split.order[1] if split.order is not None else event
    if "seed" in recipe.owner_silences and recipe.seeds.complete and not seeds_of(recipe, library):
        yield ctx.finding("before-framework", at=at, framework=recipe.framework)
    elif _may_be_trained_on(recipe, split):
        ctx.skip("the program trains on several data sets together: both parts of the split may be among them", event)
    elif unseeded(recipe, library):
        yield ctx.finding("unseeded-evaluation" if _spares_training(recipe, split) else "unseeded", at=at, library=library)
    elif not recipe.seeds.complete:
        ctx.skip(recipe.seeds.why or f"a seed of {library} may be set in what could not be read", event)


def _spares_training(recipe: Recipe, split: Split) -> bool:
    """True where loaders take parts of a split, and those that are trained on are seen to take theirs from other data."""
    cut = {loader: loader.dataset.cut_by(split) for loader in recipe.loaders if loader.dataset is not None}
    trained = [loader for loader in cut if loader.role == "train"]
    known = recipe.loaders.complete and len(cut) == len(recipe.loaders) and bool(trained)
    return known and any(cut.values()) and not any(cut[loader] for loader in trained) and all(loader.role != "unknown" for loader in cut)


def _may_be_trained_on(recipe: Recipe, split: Split) -> bool:
    """True where no loader is seen to take a part of a split, and several loaders are trained on: labelled samples and unlabelled ones. What a
    sampler takes of a data set may be such a part."""
    trained = {loader.slot for loader in recipe.loaders if loader.role == "train" and not loader.flag_off and not loader.samplers}
    return len(trained) > 1 and not any(_cut_by(loader.dataset, split) for loader in recipe.loaders)


def _cut_by(dataset: Dataset | None, split: Split) -> bool:
    """True for a part of a split, and for what is made of one."""
    while dataset is not None:
        if dataset.split is split or (isinstance(dataset.data, tuple) and split in dataset.data):
            return True
        dataset = dataset.origin
    return False


def _is_run(loop: Loop) -> bool:
    """True when each turn is a run of its own, a fold or a trial: no optimizer steps in it that was made before."""
    made = {event.subject.slot for event, _ in events(loop.body, Kind.BUILD) if isinstance(event.subject, Optimizer)}
    steps = (event.subject for event, _ in events(loop.body, Kind.OPTIMIZER_STEP))
    return bool(made) and all(not isinstance(optimizer, Optimizer) or optimizer.slot in made for optimizer in steps)


def _apart(recipe: Recipe, *splits: Split) -> bool:
    """True when loaders of different roles take their samples from the splits."""
    roles = {split: {loader.role for loader in recipe.loaders if loader.dataset and loader.dataset.split is split} for split in splits}
    first, second = (roles[split] for split in splits)
    return bool(first and second and first != second)
