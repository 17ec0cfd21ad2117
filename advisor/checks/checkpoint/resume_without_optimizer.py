"""Runs that go on from a saved epoch with a fresh optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.recipe import Optimizer, Recipe, Restore
from advisor.model.source import number, value_of

COUNTERS = frozenset({"epoch", "epochs", "step", "steps", "iter", "iters", "iteration", "iterations"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first restore of each checkpoint whose counter is read back, but no state of an optimizer."""
    optimizers = [optimizer for optimizer in recipe.optimizers if _has_state(optimizer)]
    if not optimizers or "restore" in recipe.owner_silences or not _may_start_late(recipe):
        return
    groups: dict[object, list[Restore]] = {}
    for restore in recipe.restores:
        groups.setdefault(_origin(restore), []).append(restore)
    for restores in groups.values():
        kinds = {kind for restore in restores for kind in restore.parts.values()}
        keys = {key for restore in restores for key in restore.keys}
        counter = next((key for key in sorted(keys) if not COUNTERS.isdisjoint(re.split(r"[^a-z]+", key.lower())) and "." not in key), None)
        if counter is None or "optimizer" in kinds or any("optim" in key.lower() for key in keys) or not kinds & {"model", "model-state"}:
            continue
        escaped = next((restore.escaped for restore in restores if restore.escaped), None)
        if escaped is not None:
            ctx.skip(f"the checkpoint was handed to `{escaped}`, which could not be read", restores[0])
            continue
        saved = any("optimizer" in save.parts.values() for save in recipe.saves)
        written = next((save for save in recipe.saves if counter in save.parts), None)
        at = (written.contents or written) if written is not None and not saved else restores[0]
        yield ctx.finding("not-restored" if saved else "not-saved", at=at, key=counter, optimizer=optimizers[0].name, line=restores[0].place)


def _may_start_late(recipe: Recipe) -> bool:
    """True when the number of epochs to go is not fixed in the text, so that a restored counter may be where they start."""
    rounds = [loop.epoch or loop.batch for loop in training_loops(recipe)]
    return any(number(loop.count) is None for loop in rounds)


def _origin(restore: Restore) -> object:
    """What was loaded: the object, where it is known by the keys that are taken from it, else the path."""
    path = value_of(restore.path)
    return path if isinstance(path, str) else id(restore.keys) if restore.keys else restore.place


def _has_state(optimizer: Optimizer) -> bool:
    """Plain SGD has nothing to restore but its rate."""
    return not (optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) in (0, None))
