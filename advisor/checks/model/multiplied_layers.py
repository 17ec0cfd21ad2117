"""One module with weights that a multiplied list puts into a container several times."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module

CONTAINERS = ("torch.nn.Sequential", "torch.nn.ModuleList")


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each part of a container that was made in a list which was multiplied, and that stands in it more than once."""
    if module.kind not in CONTAINERS:
        return
    parts = list(module.children.values())
    for part in dict.fromkeys(parts):
        if part.multiplied is not None and part.trainable != "no" and (times := parts.count(part)) > 1:
            yield ctx.finding("list", at=part.multiplied, value=times, layer=part.name, container=module.name)
