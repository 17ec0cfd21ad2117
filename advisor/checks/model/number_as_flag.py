"""Layers that are given a number where they take a yes or no."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Module
from advisor.model.source import first

FLAGS = ("bias", "bidirectional", "batch_first", "affine", "track_running_stats", "elementwise_affine", "norm_first", "inplace", "ceil_mode")


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Each flag of a layer of torch; 0 and 1 are other words for no and yes."""
    if module.user_class or module.copy_of is not None or not module.kind.startswith("torch.nn."):
        return
    for name in FLAGS:
        known = first(module.settings.get(name))
        if known is None or known.default is not None or isinstance(known.value, bool) or not isinstance(known.value, (int, float)):
            continue
        if known.value not in (0, 1):
            yield ctx.finding("number", at=module, value_from=known, setting=name, value=known.value)
            return
