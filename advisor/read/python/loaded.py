"""Weights that a program loads before it trains: the model does not start at random."""

from __future__ import annotations

from advisor.model.events import Context, Event, Kind, Loop, Node
from advisor.model.recipe import Module, Recipe, Restore
from advisor.model.source import ABSENT, Known, Setting, Unknown, value_of

TRAINING = (Kind.BACKWARD, Kind.OPTIMIZER_STEP)


def note_loaded(recipe: Recipe, nodes: list[tuple[Node, Context]]) -> None:
    """Marks modules whose weights come from a file before the first step; under a flag that is off by default they do not."""
    written = {value_of(save.path) for save in recipe.saves} - {None}
    for node, context in nodes:
        if not isinstance(node, Event):
            continue
        if node.kind in TRAINING:
            return
        restore = node.subject
        if node.kind is not Kind.RESTORE or not isinstance(restore, Restore) or restore.module is None or restore.module.pretrained is not ABSENT:
            continue
        from_memory = isinstance(node.data.get("source"), Module) or restore.saved is not None
        repeated = any(isinstance(step, Loop) and step.what not in ("turn", "parameters") for step in context.path)
        labels = {arm.label for _, arm in context.arms}
        if from_memory or repeated or "flag" in labels or "except" in labels or not any("model" in part for part in restore.parts.values()):
            continue
        restore.module.pretrained = _origin(restore, sure=labels <= {"default"} and value_of(restore.path) not in written)


def _origin(restore: Restore, sure: bool) -> Setting:
    """The file as where the weights come from; not known when it may be the program's own checkpoint."""
    if not sure:
        return Unknown("weights may be loaded before training")
    return Known(value_of(restore.path) or True, place=restore.place)
