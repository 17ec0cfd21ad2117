"""Frozen parts, and pretrained ones that no optimizer holds, whose batch norms go on updating their statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Order, contains, needs_flag, training_loop, violations
from advisor.model.kinds import WEIGHTED, from_scratch, layers
from advisor.model.layers import BATCH_NORMS, batch_norms
from advisor.model.modes import to_train, trained_modules
from advisor.model.outside import left_out
from advisor.model.recipe import Module, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """One case for each place: that a whole model is frozen says it of its norms."""
    found = list(_found(recipe, ctx))
    wholes = {finding.place for finding in found if finding.case != "norms"}
    yield from (finding for finding in found if finding.case != "norms" or finding.place not in wholes)


def _found(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Train mode arms a frozen part, eval mode (its own, or of its norms) disarms it, a backward in training is checked."""
    frozen = [part for part in frozen_parts(recipe) if not _kept_in_eval(recipe, part)]
    wholes = {part: next((model for model in recipe.models if part in model.walk()), part) for part in frozen}
    if frozen and _from_the_start(recipe):  # the turn of an end that was drawn at random comes in a later stage
        frozen = [part for part in frozen if not (from_scratch([wholes[part]]) and _at_the_end(part, wholes[part]))]
    told: set[Module] = set()  # models of which several parts are frozen are told once
    by_then = _frozen_by_then(recipe, frozen)
    order = Order(checks=lambda event: by_then.get(event, ()), clears=_disarmed(recipe), arms=to_train)
    for found in violations(recipe.tree, order):
        part = found.thing
        assert isinstance(part, Module)
        if training_loop(found.context) is None or part not in frozen:
            continue
        frozen.remove(part)
        switch = next((event for event, _ in found.armed_by if event.kind is Kind.TRAIN_MODE), None)
        flagged = needs_flag(found.context) or part.when
        layer, whole = batch_norms(part)[0].name, wholes[part]
        together = whole is not part and (part.name == layer or sum(other is whole for other in wholes.values()) > 1)
        if whole in told:
            continue
        told.update([whole] if together else ())
        still = not is_frozen(part)
        yield ctx.finding(
            "not-optimized" if still else "norms" if together else "updating",
            at=part if switch is None or "mode" in recipe.owner_silences else switch,
            confidence="medium" if flagged else None,
            model=whole.name if together and not still else part.name,
            layer=layer,
            line=found.event.place,
        )


def _from_the_start(recipe: Recipe) -> bool:
    """True where all that is frozen is so before anything is trained."""
    trained = False
    for event, around in events(recipe.tree, Kind.FREEZE, Kind.BACKWARD):
        trained = trained or event.kind is Kind.BACKWARD
        if event.kind is Kind.FREEZE and (trained or any(contains(loop.body, Kind.BACKWARD) for loop in around.loops)):
            return False
    return True


def _at_the_end(part: Module, whole: Module) -> bool:
    """True where nothing of its model that is trained stands behind a part: nothing learns on what it gives."""
    order, inside = list(whole.walk()), set(part.walk())
    behind = order[max(place for place, module in enumerate(order) if module in inside) + 1 :]
    return whole is not part and all(module.trainable == "no" for module in behind if not module.children and layers([module], WEIGHTED))


def _frozen_by_then(recipe: Recipe, frozen: list[Module]) -> dict[Event, list[Module]]:
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


def frozen_parts(recipe: Recipe) -> list[Module]:
    """The largest frozen parts with batch norms of models of which another part is trained, and frozen models that feed a trained one
    and are put into train mode by name. A part that has a trained copy, or one that is built just so or there, is its teacher."""
    copies = [module for module in recipe.modules if module.copy_of is not None]
    copied = {*copies, *(module.copy_of for module in copies if module.copy_of is not None and module.trainable != module.copy_of.trainable)}
    left = left_out(recipe)
    switched = {event.subject for event, _ in events(recipe.tree, Kind.TRAIN_MODE)}
    feeding = {event.subject for event, context in events(recipe.tree, Kind.FORWARD) if training_loop(context) is not None}
    found = [
        model
        for model in recipe.models
        if (is_frozen(model) or left(model)) and model in switched and model in feeding and batch_norms(model) and copied.isdisjoint(model.walk())
    ]
    for module in trained_modules(recipe):
        whole = next((model for model in recipe.models if module in model.walk()), module)
        inside: set[Module] = set()
        for part in whole.walk():
            if (part.trainable == "no" or left(part)) and part not in inside:
                inside.update(part.walk())
                if batch_norms(part) and part not in found and part is not whole and copied.isdisjoint(part.walk()):
                    found.append(part)
    inner = {child for module in recipe.modules for child in module.children.values() if child.place in (None, module.place)}  # made with a whole
    still = {part for module in found if left(module) for part in module.walk()}
    trained = [part for model in recipe.models for part in model.walk() if not is_frozen(part) and part not in inner and part not in still]
    twins = {_build(module) for module in trained} | {(module.kind, module.place) for module in trained}
    return [part for part in found if part in inner or twins.isdisjoint((_build(part), (part.kind, part.place)))]


def _build(module: Module) -> tuple[object, ...]:
    """The kinds of its layers, one after the other."""
    return tuple(part.kind for part in module.walk())


def is_frozen(model: Module) -> bool:
    """True for a model that is frozen, or whose every part with weights is."""
    parts = [part for part in model.children.values() if layers([part], WEIGHTED) or not part.fully_known]
    return model.trainable == "no" or (bool(parts) and model.complete and all(map(is_frozen, parts)))


def _kept_in_eval(recipe: Recipe, part: Module) -> bool:
    """True for a part that the program puts into eval mode, or may, where a framework runs the loop: newer versions of Lightning leave it there."""
    if "mode" not in recipe.owner_silences:
        return False
    whole = {event.subject for event, _ in events(recipe.tree, Kind.TRAIN_MODE)}  # what the framework switches to and fro
    return any(
        isinstance(event.subject, Module) and event.subject not in whole and (part in event.subject.walk() or event.subject in part.walk())
        for event, _ in events(recipe.tree, Kind.EVAL_MODE, Kind.MODE_UNKNOWN, Kind.ESCAPE)
    )


def _disarmed(recipe: Recipe) -> Callable[[Event], Iterable[Module]]:
    def disarmed(event: Event) -> Iterable[Module]:
        if event.kind not in (Kind.EVAL_MODE, Kind.MODE_UNKNOWN, Kind.ESCAPE) or not isinstance(event.subject, Module):
            return ()
        if event.subject.name in BATCH_NORMS:  # a loop over all modules is read with one of them
            return {part for module in recipe.modules if event.subject in module.walk() for part in module.walk()}
        return list(event.subject.walk())

    return disarmed
