"""KL divergence that is given the wrong kind of number, or averaged over elements."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import DIVERGENCE, Use, uses
from advisor.model.recipe import Recipe
from advisor.model.source import first


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The input must be log-probabilities, the target probabilities (logarithms only with log_target)."""
    for use in uses(recipe, DIVERGENCE):
        given = use.input.activation if use.input is not None else None
        target = use.target.activation if use.target is not None and of_other_model(use) else None
        log_target, reduction = first(use.loss.settings.get("log_target")), first(use.loss.settings.get("reduction"))
        wants_log = log_target.value if log_target is not None else None
        if given in ("softmax", "sigmoid", "linear"):
            yield ctx.finding("input-no-logarithm", at=use.place, loss=use.loss.name, activation=given)
        elif wants_log is False and target in ("log_softmax", "logsigmoid", "linear"):
            yield ctx.finding("target-no-probability", at=use.place, loss=use.loss.name, activation=target)
        elif wants_log is True and target in ("softmax", "sigmoid", "linear"):
            yield ctx.finding("target-no-logarithm", at=use.place, loss=use.loss.name, activation=target)
        elif reduction is not None and reduction.value == "mean":
            yield ctx.finding("element-mean", at=use.place, loss=use.loss.name)


def of_other_model(use: Use) -> bool:
    """True when the target comes from another model than the input: a copy of the model's own output is often overwritten in place."""
    return use.input is not None and use.target is not None and bool(use.target.modules) and set(use.input.modules).isdisjoint(use.target.modules)
