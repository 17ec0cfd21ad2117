"""Clipping before there are gradients to clip."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.clips import misplaced
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clip with the backward and the step behind it in the same turn."""
    for found in misplaced(recipe):
        if found.where == "before-backward":
            place = found.step.place
            yield ctx.finding("before-backward", at=found.clip, evidence=[Link(place.file, place.line, "the step stands here")], line=place.line)
