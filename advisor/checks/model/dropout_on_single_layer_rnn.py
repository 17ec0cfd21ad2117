"""Dropout given to a recurrent layer that has no place for it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module
from advisor.model.source import first, number


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """LSTM, GRU and RNN with one layer and a dropout."""
    if module.user_class or module.copy_of is not None or module.name not in ("LSTM", "GRU", "RNN") or not module.kind.startswith("torch.nn."):
        return
    rate, depth = first(module.settings.get("dropout")), first(module.settings.get("num_layers"))
    if rate is None or depth is None or number(depth) != 1 or not number(rate):
        return
    yield ctx.finding("no-effect", at=module, value_from=rate, confidence="medium" if rate.weak or depth.weak else None, value=number(rate))
