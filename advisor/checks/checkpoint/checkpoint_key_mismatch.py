"""Keys that are read from a checkpoint and were never written to it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Restore, Save
from advisor.model.source import Link, value_of

STATES = {"model-state": "model", "optimizer": "optimizer", "scheduler": "scheduler", "scaler": "scaler"}


def check(restore: Restore, ctx: Context) -> Iterator[Finding]:
    """Each key of a checkpoint that this program also writes, under the same path; and what a key is loaded into that never holds its like."""
    yield from _into_another(restore, ctx)
    save = _same_path(restore, ctx)
    if save is None or not save.complete:
        return
    for key, place in restore.keys.items():
        if key not in save.parts and "" not in save.parts:
            evidence = [Link(save.place.file, save.place.line, "written here")]
            yield ctx.finding("missing-key", at=place, evidence=evidence, key=key, keys=", ".join(save.parts), line=save.place)


def _into_another(restore: Restore, ctx: Context) -> Iterator[Finding]:
    """`scaler.load_state_dict(checkpoint["scheduler"])`: whatever the file is called, what the program writes under the key is of another kind."""
    for key, kind in restore.parts.items():
        written = [save for save in ctx.recipe.saves if save.memory == "file" and key in save.parts]
        kinds = {save.parts[key] for save in written}
        if key and kind in STATES and len(kinds) == 1 and kind not in kinds and kinds <= STATES.keys():
            evidence = [Link(written[0].place.file, written[0].place.line, "written here")]
            held = STATES[kinds.pop()]
            yield ctx.finding("other-kind", at=restore, evidence=evidence, key=key, kind=held, taker=STATES[kind], line=written[0].place)


def _same_path(restore: Restore, ctx: Context) -> Save | None:
    """The only kind of checkpoint that is written to the path that is read."""
    path = value_of(restore.path)
    if not isinstance(path, str):
        return None
    written = [save for save in ctx.recipe.saves if save.memory == "file" and value_of(save.path) == path]
    keys = {tuple(save.parts) for save in written}
    return written[0] if len(keys) == 1 and written[0].parts else None
