"""Checkpoints that a run goes on from: what is restored where the counter of its epochs or steps is read back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.model.folds import training_loops
from advisor.model.recipe import Recipe, Restore, Save
from advisor.model.record import dataclass
from advisor.model.source import number, value_of

COUNTERS = frozenset({"epoch", "epochs", "step", "steps", "iter", "iters", "iteration", "iterations"})


@dataclass(frozen=True, slots=True)
class Resume:
    """The restores of one checkpoint with weights and a counter: what is restored, every key that is read, and where the program writes it."""

    restores: tuple[Restore, ...]
    counter: str
    kinds: frozenset[str]
    keys: frozenset[str]
    written: Save | None

    @property
    def escaped(self) -> str | None:
        """Who the checkpoint was handed to that could not be read."""
        return next((restore.escaped for restore in self.restores if restore.escaped), None)

    def reads(self, word: str) -> bool:
        """True when a key with this word is read from the checkpoint."""
        return any(word in key.lower() for key in self.keys)


def resumes(recipe: Recipe) -> Iterator[Resume]:
    """Each checkpoint whose counter says where the run goes on, unless a framework restores everything itself."""
    if "restore" in recipe.owner_silences or not _may_start_late(recipe):
        return
    groups: dict[object, list[Restore]] = {}
    for restore in recipe.restores:
        groups.setdefault(_origin(restore), []).append(restore)
    for restores in groups.values():
        kinds = frozenset(kind for restore in restores for kind in restore.parts.values())
        keys = frozenset(key for restore in restores for key in restore.keys)
        counter = next((key for key in sorted(keys) if not COUNTERS.isdisjoint(re.split(r"[^a-z]+", key.lower())) and "." not in key), None)
        if counter is not None and kinds & {"model", "model-state"}:
            yield Resume(tuple(restores), counter, kinds, keys, next((save for save in recipe.saves if counter in save.parts), None))


def _may_start_late(recipe: Recipe) -> bool:
    """True when the number of epochs to go is not fixed in the text, so that a restored counter may be where they start."""
    rounds = [loop.epoch or loop.batch for loop in training_loops(recipe)]
    return any(number(loop.count) is None for loop in rounds)


def _origin(restore: Restore) -> object:
    """What was loaded: the object, where it is known by the keys that are taken from it, else the path."""
    path = value_of(restore.path)
    return path if isinstance(path, str) else id(restore.keys) if restore.keys else restore.place
