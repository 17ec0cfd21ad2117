"""Decisions that are made on the test set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.modes import final_loaders
from advisor.model.recipe import Dataset, EarlyStopping, Flow, Loader, Recipe, Save
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best checkpoint and the early stop, by the data that their metric was measured on."""
    for save in recipe.saves:
        data = _test_data(save.monitor, recipe) if save.best else None
        if data is not None:
            yield _finding("checkpoint", save, data, save.monitor, ctx)
    for stop in recipe.early_stopping:
        data = _test_data(stop.flow, recipe)
        if data is not None:
            yield _finding("early-stop", stop, data, stop.flow, ctx)


def _test_data(flow: Flow | None, recipe: Recipe) -> Loader | Dataset | None:
    """The held-out test data that a metric comes from: the loader over them, or the data set where they are taken all at once."""
    sources = (flow.source, *flow.sources) if flow is not None else ()
    held = [source for source in sources if isinstance(source, (Loader, Dataset))]
    return next((source for source in held if source.role == "test" and not _unclear(source)), None) or next(
        (source for source in held if isinstance(source, Loader) and _reported_as_test(source, recipe)), None
    )


def _unclear(data: Loader | Dataset) -> bool:
    return isinstance(data, Loader) and data.role_from == "unknown"


def _reported_as_test(loader: Loader, recipe: Recipe) -> bool:
    """True for held-out data whose names say test and nothing else, and that the finished model is measured on."""
    words = {word for name in loader.names for word in re.split(r"[^a-z]+", name.lower())}
    named = any(word.startswith("test") for word in words) and not any(word.startswith(("train", "val", "dev", "eval")) for word in words)
    return loader.role == "validation" and named and loader.slot in final_loaders(recipe)


def _finding(case: str, at: Save | EarlyStopping, data: Loader | Dataset, flow: Flow | None, ctx: Context) -> Finding:
    sure = data.role == "test" and (isinstance(data, Dataset) or data.role_from in ("use", "contents"))
    evidence = [Link(data.place.file, data.place.line, "the test data")]
    metric = flow.metric if flow is not None and flow.metric else "metric"
    where = at.decided or at if isinstance(at, Save) else at
    return ctx.finding(case, at=where, confidence=None if sure else "medium", evidence=evidence, metric=metric, line=data.place)
