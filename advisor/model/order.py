"""In which order the samples of a data set come, and whether that order carries meaning."""

from __future__ import annotations

from advisor.model.events import Kind, events
from advisor.model.recipe import Loader, Module, Recipe

MADE_UP = "FakeData"  # random images: no order to speak of
RECURRENT = frozenset({"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"})


def is_ordered(loader: Loader, recipe: Recipe) -> bool:
    """True when the samples come in the order of a file or of their classes: map-style, not split at random, and nothing in the program shuffles."""
    part = loader.dataset
    if part is None and loader.dataset_flow is None:
        return False
    while part is not None:
        if part.iterable or part.shuffled or part.split is not None or not part.kind or part.kind.endswith(MADE_UP):
            return False
        part = part.origin
    return not any(event.data.get("use") == "shuffle" for event, _ in events(recipe.tree, Kind.DRAW))


def is_sequential(recipe: Recipe) -> bool:
    """True when a recurrent model is trained: its samples may follow each other in time."""
    return any(isinstance(module, Module) and module.name in RECURRENT for module in recipe.modules)
