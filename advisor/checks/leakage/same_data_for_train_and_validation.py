"""Validation on the samples that the model is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, Loop, events, walk
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.folds import loaders, training_loop
from advisor.model.kinds import has_weights
from advisor.model.metrics import is_score
from advisor.model.modes import trained_modules
from advisor.model.pattern import pattern
from advisor.model.recipe import Dataset, Flow, Loader, Module, Recipe
from advisor.model.source import first

CHANGING = pattern(  # settings that say what becomes of a sample
    r"transform|aug|noise|shuffle|mixup|crop|flip|jitter|tokenizer|loader|length|valid_file|empty", re.IGNORECASE
)
PATH = pattern(r"[/\\]|\.\w{2,5}$")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """An evaluation loader over the training set, where no other loader evaluates on anything else."""
    training = [loader for loader in recipe.loaders if loader.role == "train" and loader.dataset is not None]
    judged = [loader for loader in recipe.loaders if loader.role in ("validation", "test") and loader.iterated]
    if not training or not judged or not recipe.loaders.complete:
        return
    if not all(any(_same(loader, other) for other in training) for loader in judged):
        return
    loader = judged[0]
    other = next(other for other in training if _same(loader, other))
    if loader.slot is other.slot or _only_run(loader, recipe) or _by_another_model(loader, recipe):
        return
    unsure = loader.when or other.when or loader.escaped or (loader.dataset is not None and loader.dataset.user_class)
    at, line = (loader, other) if loader.dataset is other.dataset else (_named(loader), _named(other))
    severity: Severity | None = "hint" if _by_options(loader, other) else None
    sure: Confidence | None = "medium" if unsure else None
    yield ctx.finding("same-samples", at=at, confidence=sure, severity=severity, line=line.place, role=loader.role)


def _by_options(loader: Loader, other: Loader) -> bool:
    """True where only a flag brings the evaluation in, and two options name one folder by their defaults: who sets the one sets the other."""
    roots = [root for one in (loader, other) if one.dataset is not None and (root := first(one.dataset.settings.get("root"))) is not None]
    return loader.flag_off and len(roots) == 2 and all(root.weak for root in roots) and roots[0].origin != roots[1].origin


def _only_run(loader: Loader, recipe: Recipe) -> bool:
    """True where a loop goes through the samples and nothing is measured on them: classes are counted, embeddings are made, pictures are shown."""
    for event, context in events(recipe.tree, Kind.LOSS, Kind.METRIC, Kind.KEEP, Kind.COUNT):
        if event.kind in (Kind.KEEP, Kind.COUNT) and not is_score(event):
            continue  # a number that is no score
        flows = [flow for key in ("input", "target", "flow") if isinstance(flow := event.data.get(key), Flow)]
        if any(loader in loaders(loop) for loop in context.loops) or any(loader in (flow.source, *flow.sources) for flow in flows):
            return False
    return any(loader in loaders(node) for node, _ in walk(recipe.tree) if isinstance(node, Loop))


def _by_another_model(loader: Loader, recipe: Recipe) -> bool:
    """True where what a trained model gives goes on to one that training neither moves nor runs: another task is measured, a watermark, say."""
    moved = {part.slot for module in trained_modules(recipe) for part in module.walk()}
    forwards = list(events(recipe.tree, Kind.FORWARD))
    ran = {event.subject.slot for event, around in forwards if isinstance(event.subject, Module) and training_loop(around) is not None}
    for event, around in forwards:
        model, given = event.subject, event.data.get("input")
        if isinstance(model, Module) and isinstance(given, Flow) and any(loader in loaders(loop) for loop in around.loops):
            other = model.slot not in moved | ran and model.copy_of is None and has_weights(model)
            if other and any(module.slot in moved for module in given.modules):
                return True
    return False


def _named(loader: Loader) -> Dataset | Loader:
    """Where the files are named that a loader reads; the loader where none are."""
    return loader.dataset if loader.dataset is not None and _files(loader.dataset) is not None else loader


def _same(loader: Loader, other: Loader) -> bool:
    if loader.dataset is None or other.dataset is None or not loader.takes_all or not (other.takes_all or _weighs(other)):
        return False
    mine, its = _original(loader.dataset), _original(other.dataset)
    if mine is its and mine.kind.startswith("datasets.") and not mine.loops:
        return True  # none of these is ever changed: what chooses among the samples gives another
    if _cut(mine) or _cut(its):
        return False
    if mine.within(its):
        return True
    if mine is its:  # one object, and neither a part of a library's collection nor the same line of a function that makes several
        return (mine.user_class or mine.kind.startswith("torch")) and mine.place.file == loader.place.file == other.place.file
    again = mine.place == its.place and _held(mine)  # a function that makes one of whatever it is given may be given something else
    return not again and _identity(mine) is not None and _identity(mine) == _identity(its)


def _weighs(loader: Loader) -> bool:
    """True where what is known of a sampler is that it is no choice of a part: it balances the classes, or has an order of its own."""
    return bool(loader.samplers) and not any("Subset" in sampler.name for sampler in loader.samplers)


def _original(dataset: Dataset) -> Dataset:
    """What a copy that still holds the same samples was made of."""
    while dataset.copy_of is not None and not _cut(dataset):
        dataset = dataset.copy_of
    return dataset


def _cut(dataset: Dataset) -> bool:
    """True where something that may choose among the samples was assigned after it was made."""
    return any(CHANGING.search(name) is None for name in dataset.rewritten)


def _identity(dataset: Dataset) -> object:
    """What tells the samples of two data sets apart: their part of a split, their tensors, or a published data set and which part of it."""
    if dataset.split is not None and dataset.part is not None:
        return dataset.split, dataset.part
    if dataset.kind.endswith(".TensorDataset") and dataset.part is not None:
        return dataset.part
    files = _files(dataset)
    if files is not None:
        return files
    published = dataset.origin is None and dataset.kind.startswith("torchvision.") and dataset.role != "unknown"
    return ("data", dataset.data, dataset.part, dataset.role) if published and dataset.data is not None else None


def _held(dataset: Dataset) -> set[str]:
    """The names of the tables and arrays that it was given."""
    return {name for name, values in (dataset.given or {}).items() if values is not ... and (dataset.told or {}).get(name) is ...}


def _files(dataset: Dataset) -> object:
    """The files that a data set was told to read, with every other setting that may choose among the samples; None where one is not known."""
    if dataset.origin is not None or dataset.split is not None:
        return None
    if dataset.kind.endswith((".ImageFolder", ".DatasetFolder")):
        return ("folder", dataset.data) if dataset.data is not None else None
    given = dataset.told if dataset.given is None else dataset.given
    chosen = {name: values for name, values in (given or {}).items() if CHANGING.search(name) is None}
    if given is None or ... in chosen.values() or any(... in values for values in chosen.values()):
        return None
    plain = [values for name, values in chosen.items() if name not in _held(dataset)]
    if len(plain) == len(chosen) and not any(isinstance(value, str) and PATH.search(value) for values in plain for value in values):
        return None
    return "files", dataset.kind, frozenset(chosen.items())
