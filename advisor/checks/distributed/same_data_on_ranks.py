"""Two ranks that train on the same samples."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Digests of the batches of each step, compared over the ranks."""
    found = trace.replicas
    if found is not None and found.compared >= ctx.limit("steps") and found.same_batches > ctx.limit("share") * found.compared:
        yield ctx.finding("same", at=found.loader or found.place, world=found.world, same=found.same_batches, steps=found.compared)
