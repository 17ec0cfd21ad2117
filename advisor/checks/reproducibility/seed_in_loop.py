"""The same seed set again in each turn of training."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context as Rule
from advisor.model.events import Context, Kind, Loop, events, walk
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop, contains, epoch_loop, guards, loaders, training_loops
from advisor.model.layers import dropouts
from advisor.model.randomness import is_run, shuffles
from advisor.model.recipe import Optimizer, Recipe, Seed
from advisor.model.source import Known, Link, candidates, is_absent, number


def check(recipe: Recipe, ctx: Rule) -> Iterator[Finding]:
    """A constant seed inside the epoch or batch loop of one run, with something that draws after it."""
    yield from _started(recipe, ctx)
    for event, around in events(recipe.tree, Kind.SEED) if is_run(recipe) else ():
        seed, batch = event.subject, batch_loop(around)
        loop = batch or epoch_loop(around)
        if loop is None or not isinstance(seed, Seed) or not isinstance(seed.value, Known) or _undone(seed, around, loop):
            continue
        asked = _periodic(around, loop)
        if guards(around, loop) and asked is None:
            continue
        if contains(loop.body, Kind.BACKWARD) and not _is_run(loop) and _draws(loop, recipe, seed.generators):
            case = "now-and-then" if asked is not None else "each-batch" if batch is not None else "each-epoch"
            yield ctx.finding(case, at=event, value_from=seed.value, value=seed.value.value, condition=asked)


def _started(recipe: Recipe, ctx: Rule) -> Iterator[Finding]:
    """Workers that each epoch starts anew, with one and the same seed for the numbers by which the data set draws all its samples."""
    again = {loader for loop in training_loops(recipe) if loop.epoch is not None for loader in loaders(loop.batch)}
    for loader in again if number(recipe.epochs) != 1 and is_run(recipe) else ():
        kept = loader.settings.get("persistent_workers")
        stays = not is_absent(kept) and not (isinstance(kept, Known) and not kept.value)
        if loader.repeated is None or stays or not any(known.value for known in candidates(loader.settings.get("num_workers"))):
            continue
        library, at = loader.repeated
        evidence = [Link(loader.place.file, loader.place.line, "the loader whose workers it starts")]
        yield ctx.finding("each-start", at=at, under=loader, evidence=evidence, library=library)
        return


def _periodic(around: Context, loop: Loop) -> str | None:
    """The condition that every so many turns holds, where a seed is set under it alone: `step % 1000 == 0`."""
    inside = [node for node in around.path[around.path.index(loop) :] if isinstance(node, tuple)]
    asked = inside[0][0].condition if len(inside) == 1 else None
    if asked is None or asked.operator != "==" or number(asked.modulo) is None or inside[0][1].taken_when is asked.negated:
        return None
    return str(asked.text)


def _undone(seed: Seed, around: Context, loop: Loop) -> bool:
    """True where random numbers go on behind it as if it had not been set, or from a seed or a state that differs from turn to turn."""
    others = (event.subject for event, _ in events(loop.body, Kind.SEED))
    other = any(isinstance(one, Seed) and one.generators == seed.generators and not isinstance(one.value, Known) for one in others)
    return other or any(region.what == "fork_rng" for region in around.regions)


def _is_run(loop: Loop) -> bool:
    """True when each turn is a run of its own: a fold, a trial, or a task whose epochs stand in it."""
    if any(isinstance(event.subject, Optimizer) for event, _ in events(loop.body, Kind.BUILD)):
        return True
    passes = (node for node, _ in walk(loop.body) if isinstance(node, Loop) and node.over is None and node.what == "range")
    inner = (node for one in passes for node, _ in walk(one.body) if isinstance(node, Loop) and node.what == "loader")
    return any(contains(node.body, Kind.BACKWARD) for node in inner)


def _draws(loop: Loop, recipe: Recipe, library: str) -> bool:
    """True when training draws numbers of the library in the loop: a draw, a shuffling loader, dropout."""
    drawn = {event.data.get("library") for event, _ in events(loop.body, Kind.DRAW)}
    if library in drawn or (library == "framework" and drawn):
        return True
    if library not in ("torch", "framework"):
        return False
    shuffled = any(isinstance(node, Loop) and shuffles(node.over) for node, _ in walk(loop.body))
    return shuffled or any(dropouts(model) for model in recipe.models)
