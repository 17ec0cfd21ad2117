"""Batch norms whose epsilon got the number meant for the momentum."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.layers import BATCH_NORMS
from advisor.model.recipe import Module
from advisor.model.source import candidates


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """The epsilon of every batch norm."""
    if module.user_class or module.copy_of is not None or module.name not in BATCH_NORMS:
        return
    for index, known in enumerate(candidates(module.settings.get("eps"))):
        value = known.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or known.default is not None or value < ctx.limit("high"):
            continue
        sure = index == 0 and not module.flag_off
        yield ctx.finding("second-argument", at=module, value_from=known, confidence=None if sure else "medium", value=float(value))
        return
