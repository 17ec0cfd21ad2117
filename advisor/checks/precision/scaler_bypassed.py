"""Steps that go around the gradient scaler, and losses that do."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind
from advisor.model.finding import Finding
from advisor.model.folds import EVERYTHING, Order, needs_flag, training_loop, violations
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.scaling import is_off, needs_a_flag

ANEW = (Kind.UNSCALE, Kind.ZERO_GRAD, Kind.GRAD_WRITE, Kind.ESCAPE)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A scaled backward met by a step without the scaler, and a plain backward met by a step with it."""
    scalers = [scaler for scaler in recipe.scalers if not is_off(scaler)]
    optimizers = list(recipe.optimizers)
    if not scalers:
        return
    direct = Order(
        checks=lambda event: scalers if _steps(event) and event.data.get("scaler") is None else (),
        clears=lambda event: EVERYTHING if event.kind in ANEW or (_steps(event) and event.data.get("scaler") is not None) else (),
        arms=lambda event: [event.data["scaler"]] if event.kind is Kind.BACKWARD and event.data.get("scaler") in scalers else (),
    )
    plain = Order(
        checks=lambda event: [event.subject] if _steps(event) and event.data.get("scaler") in scalers else (),
        clears=lambda event: EVERYTHING if event.kind in ANEW[1:] or (event.kind is Kind.BACKWARD and event.data.get("scaler") is not None) else (),
        arms=lambda event: optimizers if event.kind is Kind.BACKWARD and event.data.get("scaler") is None else (),
    )
    flagged = all(needs_a_flag(scaler) for scaler in scalers)
    for case, order in (("direct-step", direct), ("plain-backward", plain)):
        for found in violations(recipe.tree, order):
            if training_loop(found.context) is not None:
                first = found.armed_by[0][0]
                yield ctx.finding(case, at=found.event, confidence="medium" if flagged or needs_flag(found.context) else None, line=first.place)


def _steps(event: Event) -> bool:
    return event.kind is Kind.OPTIMIZER_STEP and isinstance(event.subject, Optimizer) and not event.data.get("closure")
