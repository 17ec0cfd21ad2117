"""A balancing sampler on the data that measures the model."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.samplers import is_balancing


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """Validation and test loaders; a role that rests on a name alone is less sure."""
    if loader.role not in ("validation", "test"):
        return
    for sampler in loader.samplers:
        if is_balancing(sampler):
            sure = loader.role_from in ("use", "contents")
            yield ctx.finding("balanced", at=loader, sampler=sampler.name, role=loader.role, confidence="high" if sure else "medium")
