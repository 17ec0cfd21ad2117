"""A checkpoint that is written into a folder which is not there and which nothing makes."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first save into each such folder."""
    seen: set[str] = set()
    early = _early(recipe)
    for save in recipe.saves:
        if save.folder_missing and save.folder not in seen:
            seen.add(save.folder)
            case = "before-training" if save in early else "never-made"
            yield ctx.finding(case, at=save, folder=save.folder, severity="hint" if save.flag_off else None)


def _early(recipe: Recipe) -> list[object]:
    """The saves that come before anything is trained, where it is seen what trains."""
    order = [event for event, _ in events(recipe.tree, Kind.SAVE, Kind.BACKWARD)]
    first = next((at for at, event in enumerate(order) if event.kind is Kind.BACKWARD), 0)
    return [event.subject for event in order[:first]]
