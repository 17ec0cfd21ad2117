"""Checkpoints that a run goes on from: what is restored where the counter of its epochs or steps is read back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.model.events import Context, Loop
from advisor.model.folds import training_loops
from advisor.model.recipe import Recipe, Restore, Save
from advisor.model.record import dataclass
from advisor.model.source import Loaded, parts_of, value_of

WEIGHTS = frozenset({"model", "model-state"})  # kinds of parts of a checkpoint that hold the weights of a model
COUNTERS = frozenset({"epoch", "epochs", "step", "steps", "iter", "iters", "iteration", "iterations"})


@dataclass(frozen=True, slots=True)
class Resume:
    """The restores of one checkpoint with weights and a counter: what is restored, every key that is read, and where the program writes it."""

    restores: tuple[Restore, ...]
    counter: str
    kinds: frozenset[str]
    keys: frozenset[str]
    written: Save | None
    loops: tuple[Loop, ...]  # those that begin at the counter

    def goes_on(self, around: Context) -> bool:
        """True for what stands in the training that begins at the counter: a program may hold others."""
        return any(loop in self.loops for loop in around.loops)

    @property
    def escaped(self) -> str | None:
        """Who the checkpoint was handed to that could not be read."""
        return next((restore.escaped for restore in self.restores if restore.escaped), None)

    def reads(self, word: str) -> bool:
        """True when a key with this word is read from the checkpoint."""
        return any(word in key.lower() for key in self.keys)


def resumes(recipe: Recipe) -> Iterator[Resume]:
    """Each checkpoint whose counter says where the training loop begins, unless a framework restores everything itself."""
    counters = {} if "restore" in recipe.owner_silences else _counters(recipe)
    groups: dict[object, list[Restore]] = {}
    for restore in recipe.restores if counters else ():
        groups.setdefault(_origin(restore), []).append(restore)
    for origin, restores in groups.items():
        kinds = frozenset(kind for restore in restores for kind in restore.parts.values())
        loaded = [restore.loaded for restore in restores if restore.loaded is not None]
        keys = frozenset(key for one in loaded for key in (*one.keys, *one.asked))
        counter = counters.get(origin)
        if counter is not None and kinds & WEIGHTS:
            key, loops = counter
            yield Resume(tuple(restores), key, kinds, keys, next((save for save in recipe.saves if key in save.parts), None), tuple(loops))


def _counters(recipe: Recipe) -> dict[object, tuple[str, list[Loop]]]:
    """The key, of each checkpoint, that training loops begin at: that it is read is not enough, it may be shown or name a file."""
    found: dict[object, tuple[str, list[Loop]]] = {}
    for training in training_loops(recipe):
        for loop in (training.batch, *training.around):
            for part in parts_of(loop.count):
                if not COUNTERS.isdisjoint(re.split(r"[^a-z]+", part.key.lower())):
                    found.setdefault(_source(part.of), (part.key, []))[1].append(loop)
    return found


def _origin(restore: Restore) -> object:
    """What was loaded: the object, where the program loads it itself, else the path."""
    return _source(restore.loaded) if restore.loaded is not None else restore.place


def _source(loaded: Loaded) -> object:
    path = value_of(loaded.path)
    return path if isinstance(path, str) else loaded.named or loaded  # what is loaded twice from one variable is one file
