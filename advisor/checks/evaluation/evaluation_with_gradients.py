"""Validation loops that build a graph for every batch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind
from advisor.model.finding import Finding
from advisor.model.folds import contains
from advisor.model.modes import evaluation_forwards, gradients_on, role_of
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each evaluation loop of a training program with a forward outside no_grad; the first forward is named."""
    if "no-grad" in recipe.owner_silences or not recipe.trains:
        return
    seen = set()
    for event, context, loop in evaluation_forwards(recipe):
        if loop in seen or not gradients_on(event, context) or event.subject.trainable == "no":
            continue
        if contains(loop.body, Kind.AUTOGRAD_GRAD, Kind.BACKWARD, Kind.GRAD_WRITE):
            continue
        seen.add(loop)
        yield ctx.finding("graph", at=event, model=event.subject.name, role=role_of(loop), line=loop.place.line)
