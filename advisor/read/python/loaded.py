"""Weights that a model takes over: from a file before training, so that it does not start at random, or from another model."""

from __future__ import annotations

from advisor.model.events import Context, Event, Kind, Loop, Node
from advisor.model.recipe import Module, Parameters, Recipe, Restore
from advisor.model.source import ABSENT, Known, Setting, Unknown, value_of

TRAINING = (Kind.BACKWARD, Kind.OPTIMIZER_STEP)


def note_loaded(recipe: Recipe, nodes: list[tuple[Node, Context]]) -> None:
    """Marks modules whose weights come from a file before the first step; under a flag that is off by default they do not."""
    written = [value_of(save.path) for save in recipe.saves if value_of(save.path) is not None]
    going_on = [restore.loaded for restore in recipe.restores if restore.loaded is not None and "optimizer" in restore.parts.values()]
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
        own = value_of(restore.path) in written or any(loaded is restore.loaded for loaded in going_on)
        restore.module.pretrained = _origin(restore, sure=labels <= {"default"} and not own)


def note_copied(recipe: Recipe, nodes: list[tuple[Node, Context]]) -> None:
    """Marks models that took over the weights of another one and that no optimizer moves: target networks, teachers, averages."""
    if not recipe.optimizers.complete or not all(optimizer.groups_complete for optimizer in recipe.optimizers):
        return
    moved = {part for optimizer in recipe.optimizers for module in optimizer.modules for part in module.walk()}
    for node, _ in nodes:
        source = node.data.get("source") if isinstance(node, Event) and node.kind in (Kind.RESTORE, Kind.GRAD_WRITE) else None
        if not isinstance(node, Event) or not isinstance(source, Module):
            continue
        for module in _written(node):
            if source is not module and module.copy_of is None and module not in moved:
                module.copy_of = source


def _written(event: Event) -> tuple[Module, ...]:
    if isinstance(event.subject, Restore):
        return (event.subject.module,) if event.subject.module is not None else ()
    return event.subject.modules if isinstance(event.subject, Parameters) and event.subject.exact else ()


def _origin(restore: Restore, sure: bool) -> Setting:
    """The file as where the weights come from; not known when it may be the program's own checkpoint."""
    if not sure:
        return Unknown("weights may be loaded before training")
    return Known(value_of(restore.path) or True, place=restore.place)
