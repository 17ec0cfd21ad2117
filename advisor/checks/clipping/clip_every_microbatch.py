"""Clipping inside the window in which gradients are summed up."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import emptied, windows
from advisor.model.clips import clipped, clips
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Link


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clip that happens in every turn of a window whose step comes once."""
    told = set()
    for window in windows(recipe):
        if window.optimizer is None or (window.turns is not None and window.turns <= 1) or emptied(window, recipe) is not None:
            continue
        for event, around in clips(recipe):
            touched = clipped(event, recipe)
            if event in told or window.loop.batch not in around.loops or (touched and window.optimizer not in touched):
                continue
            if window.in_every_turn(around):
                told.add(event)
                place = window.step.place
                evidence = [Link(place.file, place.line, "the step stands here")]
                yield ctx.finding("every-turn", at=event, evidence=evidence, confidence=None if window.turns else "medium", line=place)
