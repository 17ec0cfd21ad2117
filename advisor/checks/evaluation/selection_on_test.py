"""Decisions that are made on the test set."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping, Flow, Loader, Recipe, Save
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best checkpoint and the early stop, by the data that their metric was measured on."""
    for save in recipe.saves:
        loader = _test_loader(save.monitor) if save.best else None
        if loader is not None:
            yield _finding("checkpoint", save, loader, save.monitor, ctx)
    for stop in recipe.early_stopping:
        loader = _test_loader(stop.flow)
        if loader is not None:
            yield _finding("early-stop", stop, loader, stop.flow, ctx)


def _test_loader(flow: Flow | None) -> Loader | None:
    """The loader over held-out test data that a metric comes from."""
    sources = (flow.source, *flow.sources) if flow is not None else ()
    return next((source for source in sources if isinstance(source, Loader) and source.role == "test" and source.role_from != "unknown"), None)


def _finding(case: str, at: Save | EarlyStopping, loader: Loader, flow: Flow | None, ctx: Context) -> Finding:
    sure = loader.role_from in ("use", "contents")
    evidence = [Link(loader.place.file, loader.place.line, "the test data")]
    metric = flow.metric if flow is not None and flow.metric else "metric"
    where = at.decided or at if isinstance(at, Save) else at
    return ctx.finding(case, at=where, confidence=None if sure else "medium", evidence=evidence, metric=metric, line=loader.place)
