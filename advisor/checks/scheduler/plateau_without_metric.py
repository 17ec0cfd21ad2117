"""ReduceLROnPlateau stepped without the metric that it waits for."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import PLATEAU, alternatives, steps_of
from advisor.model.source import value_of


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """Each step without argument, and schedules that Lightning is told of no metric for. A name that may hold another scheduler by a flag is left
    alone."""
    if scheduler.name != PLATEAU or scheduler.owner or any(other.name != PLATEAU for other in alternatives(ctx.recipe, scheduler)):
        return
    if scheduler.when is not None and not scheduler.flag_off and not ctx.recipe.schedulers.complete:
        ctx.skip("the name may hold a scheduler of a class that is not known", scheduler)
        return
    for event, context in steps_of(ctx.recipe, scheduler):
        if event.data.get("arguments") == 0 and event.data.get("metric") is None and event.subject is scheduler:
            if _of_another(scheduler, context):
                ctx.skip("the step without a metric is meant for schedulers of another name", event)
                continue
            yield ctx.finding("no-metric", at=event)
        elif event.data.get("refused") and event.subject is scheduler:
            yield ctx.finding("no-monitor", at=scheduler)
            return


def _of_another(scheduler: Scheduler, context: Around) -> bool:
    """True in an arm for other names, `if cfg.scheduler == "plateau": scheduler.step(loss) else: scheduler.step()`: what the name says decides which
    scheduler is built, too."""
    for branch, arm in context.arms:
        asked = branch.condition
        if asked is None or asked.operator not in ("==", "!=") or not any(isinstance(value_of(side), str) for side in (asked.left, asked.right)):
            continue
        for other in branch.arms:
            steps = (event for event, _ in events(other.body, Kind.SCHEDULER_STEP)) if other is not arm else ()
            if any(isinstance(step.subject, Scheduler) and step.subject.slot is scheduler.slot and step.data.get("arguments") for step in steps):
                return True
    return False
