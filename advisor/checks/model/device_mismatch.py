"""Batches on one device, and the model that they are given to, or what takes a part of them, on another."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.facts import whole, wholes
from advisor.model.finding import Confidence, Finding
from advisor.model.folds import training_loop
from advisor.model.kinds import has_weights
from advisor.model.recipe import Flow, Module, Optimizer, Recipe
from advisor.model.source import Place, number

ON_CPU = ("torch.nn.", "torchvision.models.", "timm.", "transformers.")  # where their builders put a model that they are told nothing of

MOMENTS = frozenset({"Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta", "RMSprop"})  # keep averages beside each weight


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Lengths that are used on the CPU; each model that is given its first batch in training, where one of the two was moved to an accelerator."""
    for place, moved in dict(recipe.moved_lengths).items():
        yield ctx.finding("lengths-moved", at=place, moved=moved)
    if recipe.framework != "plain" or not recipe.whole or recipe.moved_unseen:
        return
    yield from _states(recipe, ctx)
    met: set[Module] = set()
    for event, around in events(recipe.tree, Kind.FORWARD):
        model, flow = event.subject, event.data.get("input")
        if not isinstance(model, Module) or model in met or not isinstance(flow, Flow) or training_loop(around) is None:
            continue
        met.add(model)
        if not (flow.placed is not None or (model.on_accelerator and not recipe.moves_data)):
            continue
        if recipe.budget_cuts or not recipe.modules.complete:
            ctx.skip(recipe.modules.why or "the model may be moved in what was not read", event)
        elif flow.placed is None and not model.wrapped and not model.escaped and model.complete:
            yield ctx.finding("batch-stays", at=event, model=model.name, moved=model.placed)
        elif flow.placed is not None and _stays(model, recipe):
            yield ctx.finding("model-stays", at=event, model=model.name, moved=flow.placed)


def _states(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each state of an optimizer that is loaded before its weights are moved, and that a step needs afterwards."""
    stepped = {event.subject.slot for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)}
    told: set[Place] = set()
    for restore in recipe.restores:
        optimizer = restore.optimizer
        if restore.left_behind is None or optimizer is None or optimizer.slot not in stepped or optimizer.escaped or restore.place in told:
            continue
        if any(module.copy_of or module.escaped for module in wholes(optimizer.modules)) or not _has_state(optimizer):
            continue
        told.add(restore.place)
        confidence: Confidence | None = "medium" if restore.flag_off else None
        yield ctx.finding("state-stays", at=restore, confidence=confidence, optimizer=optimizer.name, moved=restore.left_behind)


def _has_state(optimizer: Optimizer) -> bool:
    """SGD without momentum keeps nothing, Adagrad and what is not known may keep it elsewhere."""
    return optimizer.name in MOMENTS or (optimizer.name == "SGD" and (number(optimizer.settings.get("momentum")) or 0) > 0)


def _stays(model: Module, recipe: Recipe) -> bool:
    """True when nothing moves the model, a part of it, or what it is a part of, and nobody has it who might."""
    parts = whole(model)
    related = [module for module in recipe.modules if module in parts or _held(module, model) or module.slot is model.slot]
    if any(module.placed or module.wrapped or module.escaped or module.copy_of for module in related):
        return False
    if any(part.minds_devices for part in parts) or not any(has_weights(part) or not part.complete for part in parts):
        return False
    return all(part.complete or part.kind.startswith(ON_CPU) for part in parts)


def _held(module: Module, model: Module) -> bool:
    """True for what a model is a part of, or was before another was put in its place."""
    held = whole(module)
    return model in held or any(model in whole(old) for part in held for old in part.gave_up)
