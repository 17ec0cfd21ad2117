"""Values of one batch that steer the whole run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import EarlyStopping, Flow, Loader, Recipe, Save
from advisor.model.schedules import PLATEAU
from advisor.model.source import Place

CASES = {"last-batch": "last-batch", "running": "never-reset"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best checkpoint, the early stop and the plateau scheduler, by what their metric was gathered over."""
    for save in recipe.saves:
        if save.best:
            yield from _judge(save.monitor, save.decided or save, "the best checkpoint", ctx)
    for stop in recipe.early_stopping:
        if stop.unit != "batch":
            yield from _judge(stop.flow, stop, "the early stop", ctx)
    for event, context in events(recipe.tree, Kind.SCHEDULER_STEP):
        if getattr(event.subject, "name", "") == PLATEAU and cadence(context) == "epoch":
            metric = event.data.get("metric")
            yield from _judge(metric if isinstance(metric, Flow) else None, event, "the plateau scheduler", ctx)


def _judge(flow: Flow | None, at: Save | EarlyStopping | Event | Place, what: str, ctx: Context) -> Iterator[Finding]:
    case = CASES.get(flow.aggregate or "") if flow is not None else None
    if case is not None and flow is not None and any(isinstance(source, Loader) for source in (flow.source, *flow.sources)):
        yield ctx.finding(case, at=at, what=what, metric=flow.metric or "value")
