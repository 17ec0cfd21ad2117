"""Negative log-likelihood that is given something else than log-probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import LOG_LIKELIHOOD, ending_in
from advisor.model.recipe import Recipe

CASES = {"softmax": "probabilities", "sigmoid": "probabilities", "linear": "scores", "relu": "scores", "tanh": "scores"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """NLLLoss wherever its input ends in a layer or activation that gives no logarithm."""
    for use, flow, place in ending_in(recipe, LOG_LIKELIHOOD, CASES):
        activation = flow.activation or ""
        at = use.place if activation == "linear" else place
        yield ctx.finding(CASES[activation], at=at, loss=use.loss.name, activation=activation, evidence=[use.link])
