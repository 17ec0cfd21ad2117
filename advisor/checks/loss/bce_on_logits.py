"""Binary cross-entropy that is given numbers which are no probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import BINARY, ending_in
from advisor.model.recipe import Recipe

CASES = {"linear": "logits", **dict.fromkeys(("relu", "tanh", "log_softmax", "logsigmoid"), "other-activation")}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """BCELoss wherever its input ends in a layer without activation, or in one whose range is not 0 to 1."""
    for use, flow, place in ending_in(recipe, BINARY, CASES):
        activation = flow.activation or ""
        at = use.place if activation == "linear" else place
        yield ctx.finding(CASES[activation], at=at, loss=use.loss.name, activation=activation, evidence=[use.link])
