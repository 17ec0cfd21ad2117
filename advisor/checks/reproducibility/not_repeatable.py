"""Two runs of the same command that part."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Only asked with --repeat."""
    found = trace.repeat
    if found is None or found.step is None:
        return
    if found.drew:
        libraries = ", ".join(found.drew)
        yield ctx.finding("unseeded", at=found.place, step=found.step, name=found.name, before=found.before, after=found.after, libraries=libraries)
    else:
        yield ctx.finding("despite-seeds", at=found.place, step=found.step, name=found.name, before=found.before, after=found.after)
