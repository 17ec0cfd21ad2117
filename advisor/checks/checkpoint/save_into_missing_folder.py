"""A checkpoint that is written into a folder which is not there and which nothing makes."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first save into each such folder."""
    seen: set[str] = set()
    for save in recipe.saves:
        if save.folder_missing and save.folder not in seen:
            seen.add(save.folder)
            yield ctx.finding("never-made", at=save, folder=save.folder, severity="hint" if save.flag_off else None)
