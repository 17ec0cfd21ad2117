"""A language model whose scores are compared with the token that it was given, not with the next one."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loss


def check(loss: Loss, ctx: Context) -> Iterator[Finding]:
    """Each loss of a decoder that takes scores and labels place by place."""
    if loss.unshifted is not None and ctx.recipe.trains:
        yield ctx.finding("same-place", at=loss.unshifted, loss=loss.name)
