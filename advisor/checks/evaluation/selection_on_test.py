"""Decisions that are made on the test set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Dataset, EarlyStopping, Flow, Loader, Recipe, Save, Split
from advisor.model.rounds import final_data, measured_when_done
from advisor.model.source import Link, Place, Setting, value_of

VALIDATION = ("val", "valid", "validation", "dev")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best checkpoint and the early stop, by the data that their metric was measured on."""
    told: set[Place] = set()
    for save in recipe.saves:
        flow = save.monitor or _measured_again(save.called_test, save.watched, recipe)
        data = _test_data(flow, recipe) if save.best else None
        if data is not None:
            told.add(_where(save))
            yield _finding("checkpoint", save, data, flow, ctx)
    for stop in recipe.early_stopping:
        flow = stop.flow or _measured_again(stop.called_test, stop.monitor, recipe)
        data = _test_data(flow, recipe)
        if data is not None and _where(stop) not in told:  # a stopper that keeps the best weights as well is told once
            if not (told and _is_validation(data)):  # the best weights are what is tested
                yield _finding("early-stop", stop, data, flow, ctx)


Data = Loader | Dataset | Split


def _measured_again(called_test: Dataset | None, metric: Setting, recipe: Recipe) -> Flow | None:
    """The metric of a trainer on what the program calls its test data, where a loop of its own measures the finished model on the same data."""
    if called_test is None or all(loader.dataset is not called_test for loader in measured_when_done(recipe)):
        return None
    name = value_of(metric)
    return Flow(source=called_test, graph="none", metric=name if isinstance(name, str) else None)


def _test_data(flow: Flow | None, recipe: Recipe) -> Data | None:
    """The held-out test data that a metric comes from: the loader over them, or the data set or part of a split where they are taken all at once."""
    sources = (flow.source, *flow.sources) if flow is not None else ()
    held = [source for source in sources if isinstance(source, (Loader, Dataset))]
    if any(map(_is_called_validation, held)):
        return None
    if any(isinstance(source, Dataset) and source.role == "train" for source in held):
        return None  # all that a library has was put together, to be cut anew
    known = next((source for source in held if source.role == "test" and not _unclear(source)), None)
    measured = [loader for loader in recipe.loaders if loader.tested is not None]  # where training data are, too, each set is shown once more
    tested = next((source for source in held if source in measured), None) if all(loader.role != "train" for loader in measured) else None
    if known is not None or tested is not None:
        return known or tested
    for source in sources:
        part = source[0].names.get(source[1], ()) if isinstance(source, tuple) and isinstance(source[0], Split) else ()
        if _says_test(part) and source in final_data(recipe):
            return source[0]  # type: ignore[no-any-return]
        if isinstance(source, Loader) and source.role == "validation" and _says_test(source.names):
            if source.slot in final_data(recipe) or _stands_apart(source.dataset):
                return source
        if isinstance(source, Loader) and source.role == "validation" and _is_other_half(source.dataset, recipe):
            return source
    return None


def _is_validation(data: Data) -> bool:
    """True for the validation data, which only the final test makes its own."""
    return isinstance(data, Loader) and data.tested is not None and data.role != "test"


def _is_called_validation(data: Loader | Dataset) -> bool:
    """True for data that are made as those of validation, whatever the name that holds them: `test_data = Images(split="val")`."""
    dataset = data.dataset if isinstance(data, Loader) else data
    told = dataset.told if dataset is not None and dataset.told else {}
    return any(given is not ... and len(given) == 1 and given[0] in VALIDATION for given in told.values())


def _unclear(data: Loader | Dataset) -> bool:
    return isinstance(data, Loader) and data.role_from == "unknown"


def _stands_apart(dataset: Dataset | None) -> bool:
    """True for a data set of the project that is given a folder, a file or a part which is called test, too, or for the table of such a file."""
    paths = [dataset.read_from] if dataset is not None and dataset.read_from else []
    paths += _texts(dataset) if dataset is not None else []
    return _says_test([path.replace("\\", "/").rstrip("/").rpartition("/")[2] for path in paths])


def _is_other_half(dataset: Dataset | None, recipe: Recipe) -> bool:
    """True for a data set that is read from a test file beside the train file of training, whatever holds it, where no other file is read."""
    if dataset is None or not _stands_apart(dataset):
        return False
    others = {loader.dataset for loader in recipe.loaders if loader.dataset is not dataset}
    taught = {held for loader in recipe.loaders if loader.role == "train" and (held := loader.dataset) is not None and held.kind == dataset.kind}
    return bool(taught) and others == taught and all(any(map(_is_train_file, _texts(one))) for one in taught)


def _is_train_file(text: str) -> bool:
    return re.match(r"train(?![a-z])", text.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()) is not None


def _texts(dataset: Dataset) -> list[str]:
    return [text for given in (dataset.told or {}).values() if given is not ... for text in given if isinstance(text, str)]


def _says_test(names: Iterable[str]) -> bool:
    """True for names that say test and nothing else: the finished model is measured on the same data again."""
    words = {word for name in names for word in re.split(r"[^a-z]+", name.lower())}
    return any(word.startswith("test") for word in words) and not any(word.startswith(("train", "val", "dev", "eval")) for word in words)


def _finding(case: str, at: Save | EarlyStopping, data: Data, flow: Flow | None, ctx: Context) -> Finding:
    sure = not isinstance(data, Split) and data.role == "test" and (isinstance(data, Dataset) or data.role_from in ("use", "contents"))
    evidence = [Link(data.place.file, data.place.line, "the test data")]
    metric = flow.metric if flow is not None and flow.metric else "metric"
    if isinstance(data, Loader) and _is_validation(data):
        again = "checkpoint-tested" if case == "checkpoint" else "early-stop-tested"
        return ctx.finding(again, at=_where(at), confidence=None, evidence=evidence, metric=metric, line=data.tested)
    return ctx.finding(case, at=_where(at), confidence=None if sure else "medium", evidence=evidence, metric=metric, line=data.place)


def _where(decision: Save | EarlyStopping) -> Place:
    """Where it is decided."""
    asked = decision.compared or decision.decided if isinstance(decision, Save) else decision.called
    return asked or decision.place
