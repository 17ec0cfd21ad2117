"""Training that goes on in eval mode."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, Loop, events
from advisor.model.finding import Finding
from advisor.model.folds import Order, needs_flag, training_loop, violations
from advisor.model.layers import mode_matters
from advisor.model.modes import comes_in_eval, moved, out_of_eval, to_eval
from advisor.model.recipe import Module, Recipe
from advisor.model.source import MODE, Link, Unknown


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Eval mode arms a model, train mode disarms it, a step on its weights is checked."""
    if "mode" in recipe.owner_silences:
        return
    seen: set[Event] = set()
    for found in violations(recipe.tree, Order(checks=moved, clears=out_of_eval, arms=to_eval)):
        module = found.thing
        assert isinstance(module, Module)
        training = training_loop(found.context)
        if training is None or module.trainable != "yes" or not _runs(training.batch, module):
            continue  # a frozen backbone is kept in eval mode on purpose
        for switch, around in found.armed_by:
            if switch in seen or not _always_before(around, found.context) or _asks_kind(around) or _as_it_was(around):
                continue
            seen.add(switch)
            matters = mode_matters(module, recipe)
            if matters is None:
                ctx.skip("not every layer of the model is known: it may have neither dropout nor batch norm", switch)
            elif matters:
                step = found.event.place
                yield ctx.finding(
                    "stays",
                    at=switch,
                    confidence="medium" if needs_flag(around) or needs_flag(found.context) else None,
                    evidence=[Link(step.file, step.line, "training goes on here")],
                    model=module.name,
                    line=step.line,
                )
    if not seen:
        yield from _never_switched(recipe, ctx)


def _never_switched(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Models that a library hands over in eval mode, and that are stepped as they came."""
    seen: set[Event] = set()
    for found in violations(recipe.tree, Order(checks=_moved_parts, clears=out_of_eval, arms=comes_in_eval)):
        module = found.thing
        assert isinstance(module, Module)
        made = [(event, around) for event, around in found.armed_by if event.kind is Kind.BUILD and event not in seen]
        if not made or training_loop(found.context) is None or module.trainable != "yes" or not mode_matters(module, recipe):
            continue
        build, around = made[0]
        seen.add(build)
        step = found.event.place
        unsure = needs_flag(around) or needs_flag(found.context)
        at = [Link(step.file, step.line, "it is trained here")]
        yield ctx.finding("never-switched", at=build, confidence="medium" if unsure else None, evidence=at, model=build.subject.name, line=step.line)


def _runs(loop: Loop, module: Module) -> bool:
    """False for a loop that runs other models alone: the optimizer of this one is stepped beside them, and moves nothing."""
    ran = [event.subject for event, _ in events(loop.body, Kind.FORWARD)]
    parts = {part.slot for part in module.walk()}
    return not ran or any(not isinstance(one, Module) or any(part.slot in parts for part in one.walk()) for one in ran)


def _moved_parts(event: Event) -> Iterator[Module]:
    """What a step moves, and its parts."""
    for module in moved(event):
        yield from module.walk()


def _asks_kind(switch: Around) -> bool:
    """True when only layers of some name are switched, of all that a loop or apply() goes through: `"BatchNorm" in m.__class__.__name__`."""
    return any(
        branch.condition is not None and ("__name__" in branch.condition.text or "type(" in branch.condition.text) for branch, _ in switch.arms
    )


def _as_it_was(switch: Around) -> bool:
    """True where the model was not in train mode: `if was_training: model.train() else: model.eval()`."""
    for branch, arm in switch.arms:
        asked = branch.condition
        if asked is not None and arm.taken_when is not None and isinstance(asked.left, Unknown) and asked.left.why == MODE:
            if arm.taken_when is asked.negated:
                return True
    return False


def _always_before(switch: Around, step: Around) -> bool:
    """True when the switch comes between two steps of one loop, or on every way to the step: not in a branch of its own beside the training."""
    if any(loop in step.loops for loop in switch.loops):
        return True
    taken = {id(arm) for _, arm in step.arms}
    return all(id(arm) in taken for _, arm in switch.arms)
