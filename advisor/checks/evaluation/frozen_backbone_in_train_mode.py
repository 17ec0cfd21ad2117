"""Frozen parts, and pretrained ones that no optimizer holds, whose batch norms go on updating their statistics, or whose eval mode is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import Order, contains, needs_flag, training_loop, violations
from advisor.model.frozen import frozen_by_then, frozen_parts, gets_none, is_frozen
from advisor.model.kinds import WEIGHTED, from_scratch, layers
from advisor.model.layers import BATCH_NORMS, batch_norms, dropouts, pretrained_dropouts
from advisor.model.modes import to_train
from advisor.model.recipe import Module, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """One case for each place: that a whole model is frozen says it of its norms."""
    found = list(_found(recipe, ctx))
    wholes = {finding.place for finding in found if finding.case != "norms"}
    yield from (finding for finding in found if finding.case != "norms" or finding.place not in wholes)
    yield from _undone(recipe, ctx)


def _undone(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Frozen parts that drop at random, that the program puts into eval mode and that the train() of the model takes out of it."""
    put = [event.subject for event, around in events(recipe.tree, Kind.EVAL_MODE) if training_loop(around) is None]
    frozen = [part for part in frozen_parts(recipe, _drops) if part in put and not batch_norms(part) and not _kept_in_eval(recipe, part)]
    by_then = frozen_by_then(recipe, frozen)
    for found in violations(recipe.tree, Order(checks=lambda event: by_then.get(event, ()), clears=_disarmed(recipe), arms=to_train)):
        part = found.thing
        switch = next((event for event, _ in found.armed_by if event.kind is Kind.TRAIN_MODE), None)
        if not isinstance(part, Module) or part not in frozen or training_loop(found.context) is None or switch is None or switch.subject is part:
            continue
        frozen.remove(part)
        flagged = needs_flag(found.context) or part.when
        how = "run without gradients" if gets_none(part) else "frozen"
        yield ctx.finding("undone", at=switch, confidence="medium" if flagged else None, model=part.name, how=how, line=found.event.place)


def _drops(module: Module) -> list[Module]:
    return dropouts(module) + pretrained_dropouts(module)


def _found(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Train mode arms a frozen part, eval mode (its own, or of its norms) disarms it, a backward in training is checked."""
    frozen = [part for part in frozen_parts(recipe) if not _kept_in_eval(recipe, part)]
    wholes = {part: next((model for model in recipe.models if part in model.walk()), part) for part in frozen}
    if frozen and _from_the_start(recipe):  # the turn of an end that was drawn at random comes in a later stage
        frozen = [part for part in frozen if not (from_scratch([wholes[part]]) and _at_the_end(part, wholes[part]))]
    told: set[Module] = set()  # models of which several parts are frozen are told once
    by_then = frozen_by_then(recipe, frozen)
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
            "without-gradients" if gets_none(part) else "not-optimized" if still else "norms" if together else "updating",
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
