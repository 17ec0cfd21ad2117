"""Clipping of gradients that the step has already used."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.clips import misplaced
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clip with the step before it and no backward between."""
    for found in misplaced(recipe):
        if found.where == "after-step":
            place = found.step.place
            yield ctx.finding("after-step", at=found.clip, evidence=[Link(place.file, place.line, "the step stands here")], line=place.line)
