"""Optimizers that are built again in every epoch or batch of one run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Kind, Loop, events
from advisor.model.finding import Finding
from advisor.model.folds import TrainingLoop, training_loop, training_loops
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each construction that stands, under no condition, in the very loop whose batches it trains on."""
    for event, context in events(recipe.tree, Kind.BUILD):
        optimizer = event.subject
        if not isinstance(optimizer, Optimizer) or not context.loops:
            continue
        loop = _its_loop(optimizer, context, recipe)
        if loop is None or _conditional(context, loop) or _keeps_nothing(optimizer) or _another_model(optimizer, loop):
            continue
        case = "each-batch" if any(loop is found.batch for found in training_loops(recipe)) else "each-epoch"
        yield ctx.finding(case, at=optimizer, line=loop.place)


def _its_loop(optimizer: Optimizer, context: Around, recipe: Recipe) -> Loop | None:
    """The batch or epoch loop that directly holds both the construction and the steps of the optimizer."""
    innermost = next((loop for loop in reversed(context.loops) if loop.what not in ("turn", "parameters")), None)
    for step, around in events(recipe.tree, Kind.OPTIMIZER_STEP):
        found: TrainingLoop | None = training_loop(around)
        if found is None or not isinstance(step.subject, Optimizer) or step.subject.slot is not optimizer.slot:
            continue
        if innermost is found.batch or (innermost is found.epoch and innermost is not None and _passes(found, innermost)):
            return innermost
    return None


def _passes(found: TrainingLoop, epoch: Loop) -> bool:
    """True when each turn of a loop is a pass over the data: over a loader, or, where it just counts, over a list of batches."""
    return found.by_loader or (epoch.what == "range" and found.batch.what in ("items", "data"))


def _conditional(context: Around, loop: Loop) -> bool:
    """True when it is built again only now and then: a new stage, an unfrozen part."""
    return any(isinstance(node, tuple) for node in context.path[context.path.index(loop) :])


def _keeps_nothing(optimizer: Optimizer) -> bool:
    """Plain SGD has no state to lose."""
    return optimizer.name == "SGD" and number(optimizer.settings.get("momentum")) == 0


def _another_model(optimizer: Optimizer, loop: Loop) -> bool:
    """True when the loop also builds, copies or loads what is trained: folds, trials, tasks, clients."""
    if not optimizer.modules or any(group.parameters.inputs for group in optimizer.groups):
        return True
    held = {part for module in optimizer.modules for part in module.walk()}
    made = {event.subject for event, _ in events(loop.body, Kind.BUILD) if isinstance(event.subject, Module)}
    return not held.isdisjoint(made) or next(events(loop.body, Kind.RESTORE), None) is not None
