"""Runs that go on from a saved epoch with a fresh optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer, Recipe, Restore
from advisor.model.source import number, value_of


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first restore of each checkpoint whose counter is read back, but no state of an optimizer."""
    optimizers = [optimizer for optimizer in recipe.optimizers if _has_state(optimizer)]
    if not optimizers or not recipe.trains or "restore" in recipe.owner_silences:
        return
    groups: dict[object, list[Restore]] = {}
    for restore in recipe.restores:
        groups.setdefault(_origin(restore), []).append(restore)
    for restores in groups.values():
        kinds = {kind for restore in restores for kind in restore.parts.values()}
        counter = next((key for restore in restores for key, kind in restore.parts.items() if kind == "number" and _counts(key)), None)
        if counter is None or "optimizer" in kinds or "unknown" in kinds or not kinds & {"model", "model-state"}:
            continue
        escaped = next((restore.escaped for restore in restores if restore.escaped), None)
        if escaped is not None:
            ctx.skip(f"the checkpoint was handed to `{escaped}`, which could not be read", restores[0])
            continue
        under = restores[0].when
        written = any("optimizer" in save.parts.values() for save in recipe.saves)
        case = "not-restored" if written else "not-saved"
        yield ctx.finding(case, at=restores[0], key=counter, optimizer=optimizers[0].name, confidence=None if written or not under else "medium")


def _origin(restore: Restore) -> object:
    if restore.saved is not None:
        return restore.saved
    path = value_of(restore.path)
    return path if isinstance(path, str) else restore.place


def _counts(key: str) -> bool:
    return any(word in key.lower() for word in ("epoch", "step", "iter"))


def _has_state(optimizer: Optimizer) -> bool:
    """Plain SGD has nothing to restore but its rate."""
    return not (optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) in (0, None))
