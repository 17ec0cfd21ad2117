"""Models that are saved while every rank holds a part of their weights."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Known, number, value_of

SHARDS_WEIGHTS = 3  # the stage of ZeRO that spreads the weights too


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Stage 3 without gathering, in a program that saves its model through the trainer."""
    gathers, saved = recipe.distributed.get("gathers_weights"), recipe.distributed.get("saves_whole")
    if number(recipe.distributed.get("zero_stage")) != SHARDS_WEIGHTS or not isinstance(saved, Known) or saved.place is None:
        return
    if isinstance(gathers, Known) and value_of(gathers) is False:
        yield ctx.finding("by-default" if gathers.default else "switched-off", at=gathers, line=saved.place)
