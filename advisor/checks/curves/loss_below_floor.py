"""A loss below what an untrained model can reach: the labels leak, or the loss is not what it seems."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Before the first step nothing is learned yet: the loss cannot be far below the entropy of the labels."""
    if any(stepping.pretrained for stepping in trace.steppings):
        return
    for first in trace.first_losses:
        if first.plain and not first.smoothed and first.entropy >= ctx.limit("entropy") and first.value < ctx.limit("share") * first.entropy:
            yield ctx.finding("too-low", at=first.place, value=first.value, classes=first.classes, entropy=first.entropy)
