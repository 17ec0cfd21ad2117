"""Which parts of a model are frozen while others are trained, and from when on."""

from __future__ import annotations

from collections.abc import Callable

from advisor.model.events import Event, Kind, events
from advisor.model.folds import contains, training_loop
from advisor.model.kinds import WEIGHTED, layers
from advisor.model.layers import batch_norms
from advisor.model.modes import trained_modules
from advisor.model.outside import left_out
from advisor.model.recipe import Module, Recipe
from advisor.model.source import is_absent


def frozen_by_then(recipe: Recipe, frozen: list[Module]) -> dict[Event, list[Module]]:
    """What is frozen at each backward: not what is frozen after a stage of training that it took part in. In a loop the next turn follows."""
    later = [event for event, around in events(recipe.tree, Kind.FREEZE) if not any(contains(loop.body, Kind.BACKWARD) for loop in around.loops)]
    waiting = {part: {event for event in later if event.data.get("was") and part in event.data["was"]} for part in frozen}
    found: dict[Event, list[Module]] = {}
    asleep = {part for part in frozen if not waiting[part]}
    for event, _ in events(recipe.tree, Kind.FREEZE, Kind.BACKWARD):
        if event.kind is Kind.BACKWARD:
            found[event] = [part for part in frozen if part in asleep]
        else:
            asleep.update(part for part in frozen if event in waiting[part])
    return found


def frozen_parts(recipe: Recipe, holds: Callable[[Module], list[Module]] = batch_norms) -> list[Module]:
    """The largest frozen parts with batch norms, or what else changes in train mode, of models of which another part is trained.

    And frozen models that feed a trained one and are put into train mode by name. A part that has a trained copy, or one that is built just so or
    there, is its teacher.
    """
    copies = [module for module in recipe.modules if module.copy_of is not None]
    copied = {*copies, *(module.copy_of for module in copies if module.copy_of is not None and module.trainable != module.copy_of.trainable)}
    left = left_out(recipe)
    switched = {event.subject for event, _ in events(recipe.tree, Kind.TRAIN_MODE)}
    feeding = {event.subject for event, context in events(recipe.tree, Kind.FORWARD) if training_loop(context) is not None}
    found = [
        model
        for model in recipe.models
        if (is_frozen(model) or left(model)) and model in switched and model in feeding and holds(model) and copied.isdisjoint(model.walk())
    ]
    for module in trained_modules(recipe):
        whole = next((model for model in recipe.models if module in model.walk()), module)
        inside: set[Module] = set()
        for part in whole.walk():
            if (part.trainable == "no" or left(part) or (part is not whole and gets_none(part))) and part not in inside:
                inside.update(part.walk())
                if holds(part) and part not in found and part is not whole and copied.isdisjoint(part.walk()):
                    found.append(part)
    if not found:
        return []
    inner = {child for module in recipe.modules for child in module.children.values() if child.place in (None, module.place)}  # made with a whole
    still = {part for module in found if left(module) or gets_none(module) for part in module.walk()}
    trained = [part for model in recipe.models for part in model.walk() if not is_frozen(part) and part not in inner and part not in still]
    twins = {_build(module) for module in trained} | {(module.kind, module.place) for module in trained}
    return [part for part in found if part in inner or twins.isdisjoint((_build(part), (part.kind, part.place)))]


def gets_none(part: Module) -> bool:
    """True for a pretrained part that is run without gradients alone: whoever holds its weights, nothing moves them."""
    return not is_absent(part.pretrained) and part.run_with == {"off"} and part.trainable == "yes"


def _build(module: Module) -> tuple[object, ...]:
    """The kinds of its layers, one after the other."""
    return tuple(part.kind for part in module.walk())


def is_frozen(model: Module) -> bool:
    """True for a model that is frozen, or whose every part with weights is."""
    if model.trainable == "no" or not model.complete:
        return model.trainable == "no"
    matters = False
    for part in model.children.values():
        if layers([part], WEIGHTED) or not part.fully_known:
            if not is_frozen(part):
                return False
            matters = True
    return matters
