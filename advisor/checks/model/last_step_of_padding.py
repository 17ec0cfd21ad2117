"""The last step of sequences that were padded behind their ends: what a recurrent layer makes of padding."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader, Recipe
from advisor.model.source import Link, Place, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each place where it is taken, of batches of several samples that no sampler puts together by length."""
    told: set[Place] = set()
    for place, flow in recipe.last_steps if recipe.trains else ():
        loader, padded = flow.source, flow.padded
        if place in told or padded is None or not isinstance(loader, Loader):
            continue
        if not loader.takes_all or value_of(loader.settings.get("batch_size")) == 1:
            continue
        told.add(place)
        yield ctx.finding("padded", at=place, evidence=[Link(padded.file, padded.line, "padded here")], line=padded)
