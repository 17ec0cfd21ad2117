"""Keys that are read from a checkpoint and were never written to it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Restore, Save
from advisor.model.source import Link, value_of


def check(restore: Restore, ctx: Context) -> Iterator[Finding]:
    """Each key of a checkpoint that this program also writes, under the same path."""
    save = _same_path(restore, ctx)
    if save is None or not save.complete:
        return
    for key, place in restore.keys.items():
        if key not in save.parts and "" not in save.parts:
            evidence = [Link(save.place.file, save.place.line, "written here")]
            yield ctx.finding("missing-key", at=place, evidence=evidence, key=key, keys=", ".join(save.parts), line=save.place)


def _same_path(restore: Restore, ctx: Context) -> Save | None:
    """The only kind of checkpoint that is written to the path that is read."""
    path = value_of(restore.path)
    if not isinstance(path, str):
        return None
    written = [save for save in ctx.recipe.saves if save.memory == "file" and value_of(save.path) == path]
    keys = {tuple(save.parts) for save in written}
    return written[0] if len(keys) == 1 and written[0].parts else None
