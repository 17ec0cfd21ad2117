"""Training that is never measured on data it does not train on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.loaded import MEASURES
from advisor.model.losses import CLASSIFICATION
from advisor.model.metrics import is_score, words_of
from advisor.model.modes import evaluation_loop
from advisor.model.recipe import Flow, Loader, Recipe

VALIDATION = frozenset({"val", "valid", "validation", "dev"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A program that trains from loaders and runs no forward outside its training loops: of a classifier, or beside a loader made for it;
    or one whose scores are those of the samples that it has learned."""
    loaders = recipe.loaders
    if not recipe.trains or not recipe.whole or not loaders.complete or not loaders.items:
        return
    outside = [event for event, context in events(recipe.tree, Kind.FORWARD) if training_loop(context) is None]
    if any(loader.role != "train" for loader in loaders):
        idle = [loader for loader in loaders if _is_idle(loader)]
        if idle and not outside and all(loader in idle or loader.role == "train" for loader in loaders) and _is_in_sight(recipe):
            elsewhere = idle[0].place.file != recipe.entry  # made by a function that other programs may call for its sake
            yield ctx.finding("unused", at=idle[0], severity="hint" if elsewhere else None)
        return
    seen = _scored(recipe)
    if seen is not None:
        yield ctx.finding("seen", at=seen, line=loaders.items[-1].place)
    elif not outside and len(recipe.optimizers) == 1 and any(loss.name in CLASSIFICATION for loss in recipe.losses):
        yield ctx.finding("none", at=loaders.items[0])


def _scored(recipe: Recipe) -> Event | None:
    """Where the trained model is first run to be scored on samples that are taken one by one of the data set that it is trained on; None where it is
    run on anything else as well when training is done."""
    held = [loader.dataset for loader in recipe.loaders if loader.takes_all]
    if any(loader.dataset is None or loader.dataset not in held for loader in recipe.loaders):
        return None
    trained, found = False, None
    for event, context in events(recipe.tree, Kind.FORWARD, Kind.BACKWARD):
        if event.kind is Kind.BACKWARD:
            trained, found = True, None
        elif trained and training_loop(context) is None:
            given, loop = event.data.get("input"), evaluation_loop(context)
            if not isinstance(given, Flow) or given.source not in held:
                return None
            measures = loop is not None and any(inner.kind in MEASURES or is_score(inner) for inner, _ in events(loop.body))
            found = found or (event if measures else None)
    return found


def _is_idle(loader: Loader) -> bool:
    """True for a loader of validation data, as it is called, that nothing asks for a batch and that is handed to nothing unread."""
    told = any(not VALIDATION.isdisjoint(words_of(name)) for name in loader.names) or loader.role == "validation"
    return told and not loader.iterated and loader.role_from != "use" and loader.escaped is None


def _is_in_sight(recipe: Recipe) -> bool:
    """True where the program's own loop was read to its end, and gives nothing of its models to unread code."""
    if recipe.framework != "plain" or recipe.budget_cuts or any(True for _ in events(recipe.tree, Kind.ESCAPE, Kind.UNTOLD)):
        return False
    return not recipe.broken and bool(recipe.optimizers.items)
