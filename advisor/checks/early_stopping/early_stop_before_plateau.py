"""Early stopping that ends the run before a plateau scheduler can lower the rate."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping, Flow, Recipe, Scheduler
from advisor.model.source import first, number
from advisor.model.stopping import epochs_waited, patience_of, same_metric, written_at


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """Patience against patience, for every plateau scheduler that is stepped once an epoch."""
    patience, waited = patience_of(stop), epochs_waited(stop)
    for scheduler in ctx.recipe.schedulers:
        if scheduler.name != "ReduceLROnPlateau" or scheduler.stepped != "epoch":
            continue
        plateau, cooldown = number(first(scheduler.settings.get("patience"))), number(first(scheduler.settings.get("cooldown")))
        if patience is None or waited is None or plateau is None:
            ctx.skip("one of the two patiences is not known in epochs", stop)
            continue
        same = same_metric(stop.flow, metric_given(ctx.recipe, scheduler))
        if same is False:
            continue
        acts_after = plateau + 1
        if waited <= acts_after:
            case = "never-lowered"
        elif waited <= acts_after + (cooldown or 0):
            case = "stops-in-cooldown"
        else:
            continue
        yield ctx.finding(
            case,
            at=written_at(patience[0], stop),
            confidence="high" if same else "medium",
            value_from=patience[0],
            patience=waited,
            enough=acts_after * ctx.limit("factor"),
            cooldown=cooldown or 0,
            acts_after=acts_after,
            line=scheduler.place,
        )


def metric_given(recipe: Recipe, scheduler: Scheduler) -> Flow | None:
    """What the scheduler is stepped with."""
    if scheduler.monitor is not None:
        return Flow(metric=scheduler.monitor)
    for event, _ in events(recipe.tree, Kind.SCHEDULER_STEP):
        if event.subject is scheduler:
            return event.data.get("metric")
    return None
