"""Optimizers that step although no backward ever fills their gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Order, contains, violations
from advisor.model.gradients import by_hand, escaped_to, filled, kinds_of, owned, stepped
from advisor.model.recipe import Optimizer, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Building an optimizer arms it, a backward disarms it, a step in a loop with a loss is checked."""
    seen = set()
    for found in violations(recipe.tree, Order(checks=stepped, clears=filled, arms=_built)):
        loops = found.context.loops
        optimizer = found.event.subject
        if not loops or found.thing in seen or owned(recipe, found.thing) or not contains(loops[-1].body, Kind.LOSS, Kind.FORWARD):
            continue
        seen.add(found.thing)
        if by_hand(recipe, optimizer.modules):
            continue
        unread = next((event.data["method"] for event, _ in events(loops[0].body, Kind.FORWARD) if event.data.get("method")), None)
        if unread is not None:
            ctx.skip(f"the method `{unread}` of the model could not be read, and may call backward", found.event)
        elif handed := escaped_to(recipe, found.thing):
            ctx.skip(f"the optimizer was handed to `{handed}`, which could not be read", found.event)
        elif not contains(loops[0].body, Kind.BACKWARD):
            yield ctx.finding("no-backward", at=found.event, kind=kinds_of(recipe, found.thing))


def _built(event: Event) -> Iterable[Optimizer]:
    return (event.subject,) if event.kind is Kind.BUILD and isinstance(event.subject, Optimizer) else ()
