"""Batch norms that several layers of a model share."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.layers import BATCH_NORMS
from advisor.model.recipe import Module
from advisor.model.source import Link, value_of


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each batch norm that is given the outputs of several layers beside it, whatever way a run takes."""
    if not module.user_class:
        return
    parts = list(module.children.values())
    for norm in parts:
        if norm.name not in BATCH_NORMS or norm.user_class or not norm.from_init or parts.count(norm) > 1:
            continue
        if value_of(norm.settings.get("track_running_stats")) is False:
            continue
        beside = {child.place for child in parts if child is not norm and not child.user_class}
        always = norm.normalises[0][1] if norm.normalises else ()
        layers = [place for place, depends in norm.normalises if place in beside and depends == always]
        if len(layers) > 1:
            evidence = [Link(place.file, place.line, "a layer that it follows") for place in layers]
            yield ctx.finding("several", at=norm, evidence=evidence, norm=norm.name, first=layers[0], second=layers[1])
