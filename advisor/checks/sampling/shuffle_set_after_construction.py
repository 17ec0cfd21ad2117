"""An attribute of a loader that is assigned when it is too late to matter."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader
from advisor.model.source import value_of


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """Assignments to `shuffle` of a torch loader; the sampler was chosen at construction."""
    for name, value, place in loader.set_later:
        if name == "shuffle" and loader.kind.startswith("torch."):
            yield ctx.finding("on" if value_of(value) is not False else "off", at=place, line=loader.place)
