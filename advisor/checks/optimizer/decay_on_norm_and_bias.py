"""Weight decay that also pulls the scales of norms, and biases, to zero."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import has_adapter, parts
from advisor.model.recipe import Optimizer
from advisor.model.source import first, is_absent, number

NORMS = ("Norm", "Norm1d", "Norm2d", "Norm3d")


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """One decoupled decay for all weights of a model that has norms. Who builds groups has thought of it."""
    decay = first(optimizer.settings.get("weight_decay"))
    value = number(decay)
    if optimizer.name != "AdamW" or decay is None or value is None or value < ctx.limit("decay"):
        return
    if optimizer.owner is not None or len(optimizer.groups) != 1 or not optimizer.groups_complete or has_adapter(optimizer.modules):
        return
    group = optimizer.groups[0]
    held = group.parameters
    if not held.exact or held.filtered or held.inputs or not is_absent(group.settings.get("weight_decay")):
        return
    norm = next((part.name for part in parts(held.modules) if not part.user_class and part.name.endswith(NORMS)), None)
    if norm is not None:
        yield ctx.finding("all", at=optimizer, value_from=decay, value=value, norm=norm)
