"""Clipping of gradients that the scaler still multiplies."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.clips import scaled
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Link, is_absent, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clip between a scaled backward and its unscaling."""
    for event, _, scaler in scaled(recipe):
        sure = (is_absent(scaler.enabled) or value_of(scaler.enabled) is True) and not scaler.flag_off
        evidence = [Link(scaler.place.file, scaler.place.line, "the scaler is built here")]
        when = "" if sure else f", where it is on (line {scaler.place.line})"
        yield ctx.finding("scaled", at=event, evidence=evidence, confidence=None if sure else "medium", when=when)
