"""Data frames handed to a loader, which asks them for rows and gets columns."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loader


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A loader whose data set is a pandas object."""
    if loader.dataset is None and isinstance(loader.dataset_flow, str) and loader.dataset_flow.startswith("pandas."):
        yield ctx.finding("pandas", at=loader, confidence="medium" if loader.flag_off else None, given=loader.dataset_flow.rsplit(".", 1)[-1])
