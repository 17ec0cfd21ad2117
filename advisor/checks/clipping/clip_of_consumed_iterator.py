"""Clipping of a generator that has nothing left to give."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Clip
from advisor.model.source import Link


def check(clip: Clip, ctx: Context) -> Iterator[Finding]:
    """A clip of parameters from an iterator that somebody used up before, or of each in a loop over it."""
    parameters = clip.parameters
    if parameters is not None and (parameters.iterator or clip.kind == "hand-written") and parameters.consumed_by is not None:
        place = parameters.consumed_by
        evidence = [Link(place.file, place.line, "the iterator is used up here")]
        yield ctx.finding("consumed", at=clip, evidence=evidence, line=place.line, file=place.file)
