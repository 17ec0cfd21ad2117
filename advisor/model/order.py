"""In which order the samples of a data set come, and whether that order carries meaning."""

from __future__ import annotations

from advisor.model.events import Kind, events
from advisor.model.folds import loaders, training_loops
from advisor.model.recipe import Loader, Module, Recipe, Split
from advisor.model.source import ABSENT, Setting, Unknown, number, value_of

MADE_UP = "FakeData"  # random images: no order to speak of
RECURRENT = frozenset({"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"})


def is_ordered(loader: Loader, recipe: Recipe) -> bool:
    """True when the samples come in the order of a file or of their classes: map-style, not split at random, and nothing in the program shuffles."""
    part = loader.dataset
    if part is None and loader.dataset_flow is None:
        return False
    while part is not None:
        if part.iterable or part.shuffled or part.split is not None or not part.kind or part.kind.endswith(MADE_UP) or _drawn(part.data):
            return False
        part = part.origin
    return not any(event.data.get("use") == "shuffle" for event, _ in events(recipe.tree, Kind.DRAW))


def _drawn(data: object) -> bool:
    """True for a part of arrays that were split at random, which puts its rows in random order; folds keep the order."""
    split = data[0] if isinstance(data, tuple) and data else None
    return isinstance(split, Split) and not split.kind.endswith("Fold") and value_of(split.shuffle) is not False


def is_sequential(recipe: Recipe) -> bool:
    """True when a recurrent model is trained: its samples may follow each other in time."""
    return any(isinstance(module, Module) and module.name in RECURRENT for module in recipe.modules)


def counts_samples(count: Setting, loader: Loader) -> bool:
    """True for the number of samples of the data set that a loader takes its batches from."""
    data = loader.dataset
    if data is None:
        return False
    held = data.settings.get("length")
    if isinstance(count, Unknown):
        counted, rows = count.passes, held.passes if isinstance(held, Unknown) else None
        return counted is not None and counted.times.value == 1 and (counted.of is data or (rows is not None and counted.of is rows.of))
    length = number(held)
    return length is not None and length > 1 and number(count) == length


def counts_batches(count: Setting, loader: Loader) -> bool:
    """True for the number of batches of a loader, where it is another one than that of its samples."""
    if isinstance(count, Unknown):
        return count.passes is not None and count.passes.of is loader and count.passes.times.value == 1
    batches, length = number(count), number(loader.dataset.settings.get("length")) if loader.dataset is not None else None
    size = number(loader.settings.get("batch_size"))
    if batches is None or length is None or not size or batches == length:
        return False
    return batches in (length // size, -(-length // size))


def made_anew(loader: Loader, recipe: Recipe) -> bool:
    """True for a loader that goes once over a data set of the project's own, both made in one turn of a loop: the samples may be others in each."""
    data = loader.dataset
    if data is None or not data.user_class or not loader.loops or data.loops != loader.loops:
        return False
    if data.told is not None and ... not in data.told.values():  # the same in each turn
        return False
    return any(loader in loaders(loop.batch) and len(loop.around) == loader.loops for loop in training_loops(recipe))


def in_one_batch(loader: Loader) -> bool:
    """True where a batch holds all samples, whatever their order."""
    return counts_samples(loader.settings.get("batch_size", ABSENT), loader)
