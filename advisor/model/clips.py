"""Where gradients are clipped, relative to the backward before and the step behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from advisor.model.events import Arm, Branch, Context, Event, Kind, events
from advisor.model.finished import once
from advisor.model.folds import EVERYTHING, Guard, Order, TrainingLoop, arm_guards, contains, guards, training_loop, violations
from advisor.model.gradients import by_hand, filled, holds_some, stepped, wiped
from advisor.model.recipe import Clip, Fact, Module, Optimizer, Parameters, Recipe, Scaler
from advisor.model.record import dataclass
from advisor.model.scaling import is_off

BY_OTHERS = (Kind.GRAD_WRITE, Kind.ESCAPE, Kind.WEIGHTS_GIVEN, Kind.UNTOLD)  # what writes the gradients itself, or may


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A clip that meets no fresh gradients: the step that used them up stands before it, or the backward only follows."""

    clip: Event
    step: Event
    where: Literal["after-step", "before-backward"]


def clips(recipe: Recipe) -> Iterator[tuple[Event, Context]]:
    """Every clip of gradients that the program makes itself, in order."""
    for event, context in events(recipe.tree, Kind.CLIP):
        if isinstance(event.subject, Clip) and event.subject.kind != "framework":
            yield event, context


def clipped(event: Event, recipe: Recipe) -> list[Optimizer]:
    """The optimizers whose weights a clip touches; empty when that is not known."""
    parameters = event.subject.parameters if isinstance(event.subject, Clip) else None
    if parameters is None or not parameters.modules:
        return []
    return [optimizer for optimizer in recipe.optimizers if holds_some(optimizer, parameters.modules)]


@once
def misplaced(recipe: Recipe) -> list[Misplaced]:
    """Every clip between a step and the backward that follows it."""
    own = {event for event, _ in clips(recipe)}
    only = recipe.optimizers.items if recipe.optimizers.complete and len({optimizer.slot for optimizer in recipe.optimizers}) == 1 else []
    order = Order(  # the only optimizer of a program uses what is clipped, also where it is not known which weights it holds
        checks=lambda event: [*(clipped(event, recipe) or only), *_weights(event)] if event in own else (),
        clears=lambda event: EVERYTHING if event.kind is Kind.ESCAPE else filled(event),
        arms=lambda event: _weights(event) if event.kind is Kind.GRAD_WRITE and event.data.get("steps") else stepped(event),
    )
    at = {event: index for index, (event, _) in enumerate(events(recipe.tree))}
    found: dict[Event, Misplaced] = {}
    for violation in violations(recipe.tree, order):
        if not any(contains(loop.body, Kind.BACKWARD) for loop in violation.context.loops[:1]):
            continue  # there is none: the step that nothing prepares is another matter
        if violation.event in found or _step_follows(violation.event, recipe):
            continue  # what is left of an accumulation behind its loop: the turns whose step was due have left nothing to clip
        step = violation.armed_by[0][0]
        where: Literal["after-step", "before-backward"] = "after-step" if at[step] < at[violation.event] else "before-backward"
        found[violation.event] = Misplaced(violation.event, step, where)
    return list(found.values())


def _step_follows(clip: Event, recipe: Recipe) -> bool:
    """Whether a step uses what this clip has cut before another backward."""
    order = Order(
        checks=lambda event: [clip.subject] if event.kind is Kind.OPTIMIZER_STEP else (),
        clears=lambda event: EVERYTHING if event.kind is Kind.BACKWARD else (),
        arms=lambda event: [clip.subject] if event is clip else (),
    )
    return bool(violations(recipe.tree, order))


def wasted(recipe: Recipe) -> list[tuple[Event, Event]]:
    """Every clip whose gradients are cleared before any step uses them, with what clears them."""
    fates = [(clip, _Fate(clip, context, recipe)) for clip, context in clips(recipe)]
    cleared = [(clip, clearing) for clip, fate in fates if (clearing := fate.clearing()) is not None]
    places = {clip.place for clip, _ in cleared}  # an observed run has an event for each turn
    used = {clip.place for clip, fate in fates if clip.place in places and fate.is_used()}
    return [(clip, clearing) for clip, clearing in cleared if clip.place not in used]


@once
def _moved(recipe: Recipe) -> set[Fact]:
    """The optimizers that step."""
    return {event.subject.slot for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)}


@once
def _clearings(recipe: Recipe) -> list[tuple[Event, frozenset[Guard]]]:
    """What clears gradients, and under which conditions."""
    return [(event, guards(around)) for event, around in events(recipe.tree, Kind.ZERO_GRAD)]


class _Fate:
    """What becomes of the gradients that a clip has cut."""

    def __init__(self, clip: Event, context: Context, recipe: Recipe) -> None:
        self.clip, self.recipe = clip, recipe
        moved = _moved(recipe)
        touched = [optimizer for optimizer in clipped(clip, recipe) if optimizer.slot in moved]  # one that never steps is another matter
        self.touched = [] if touched and by_hand(recipe, clip.subject.parameters.modules) else touched
        sure = guards(context)
        self.certain = {event for event, under in _clearings(recipe) if under <= sure} if self.touched else set()

    def clearing(self) -> Event | None:
        """What surely clears them before a step."""
        cleared = violations(self.recipe.tree, Order(checks=self._wipes, clears=self._uses, arms=self._arms)) if self.certain else []
        return cleared[0].event if cleared else None

    def is_used(self) -> bool:
        """Whether a step may use them; true also where that is not known."""
        return not self.touched or bool(violations(self.recipe.tree, Order(checks=self._uses, clears=self._wipes, arms=self._arms)))

    def _arms(self, event: Event) -> list[Optimizer]:
        return self.touched if event is self.clip else []

    def _wipes(self, event: Event) -> list[Optimizer]:
        return wiped(event, self.recipe) if event in self.certain else []

    def _uses(self, event: Event) -> list[Optimizer]:
        if event.kind is Kind.OPTIMIZER_STEP and isinstance(event.subject, Optimizer):
            return [optimizer for optimizer in self.touched if optimizer.slot is event.subject.slot]
        return self.touched if event.kind in (Kind.ESCAPE, Kind.OPTIMIZER_STEP) else []


def _weights(event: Event) -> tuple[Module, ...]:
    """The models whose weights are clipped, or moved by hand: `p.data.add_(p.grad, alpha=-lr)`."""
    parameters = event.subject.parameters if isinstance(event.subject, Clip) else event.subject
    return parameters.modules if isinstance(parameters, Parameters) else ()


def scaled(recipe: Recipe) -> Iterator[tuple[Event, Context, Scaler]]:
    """Every clip of gradients that are still multiplied by a scaler."""
    own = {event for event, _ in clips(recipe)}
    scalers = [scaler for scaler in recipe.scalers if not is_off(scaler)]
    order = Order(
        checks=lambda event: scalers if event in own else (),
        clears=lambda event: EVERYTHING if event.kind in (Kind.UNSCALE, Kind.OPTIMIZER_STEP, Kind.ZERO_GRAD, Kind.ESCAPE) else (),
        arms=lambda event: [event.data["scaler"]] if event.kind is Kind.BACKWARD and event.data.get("scaler") in scalers else (),
    )
    for violation in violations(recipe.tree, order):
        assert isinstance(violation.thing, Scaler)
        yield violation.event, violation.context, violation.thing


def steps_beside(recipe: Recipe, clip: Event, context: Context) -> Iterator[tuple[Event, Context, TrainingLoop]]:
    """The steps in the same batch loop that use what a clip clips; all of its steps when that is not known."""
    loop = training_loop(context)
    if loop is None:
        return
    touched = {optimizer.slot for optimizer in clipped(clip, recipe)}
    for event, around in events(recipe.tree, Kind.OPTIMIZER_STEP):
        if loop.batch in around.loops and (not touched or (isinstance(event.subject, Optimizer) and event.subject.slot in touched)):
            yield event, around, loop


def one_sided(recipe: Recipe, clip: Event, context: Context, loop: TrainingLoop) -> tuple[Event, Context, bool] | None:
    """The step without clip that is taken in the place of the one that a clip prepares, where one of the two is a scaler's.

    With whether the clipped one is the scaler's. None where any clip of the loop may reach both, where something that was not read may clip on the
    other side, and where the clip waits for more than its step does, such as a limit that is None by default: then nothing is clipped on either side.
    """
    under = guards(context, inside=loop.batch)
    others = [guards(around, inside=loop.batch) for event, around in events(recipe.tree, Kind.CLIP) if event is not clip]
    steps = [(event, around, guards(around, inside=loop.batch)) for event, around, _ in steps_beside(recipe, clip, context)]
    for key, holds in under:
        if not all((key, holds) in other for other in others):
            continue
        clipped_steps = [event for event, around, asked in steps if (key, holds) in asked and _comes_with(context, around)]
        bare = [(event, around) for event, around, asked in steps if (key, not holds) in asked]
        if not clipped_steps or not bare or len(clipped_steps) + len(bare) < len(steps):
            continue
        scaled_steps = {event.data.get("scaler") is not None for event in clipped_steps}
        alike = {event.subject.slot for event in clipped_steps if isinstance(event.subject, Optimizer)}
        if any((key, not holds) in guards(around, inside=loop.batch) for _, around in events(recipe.tree, *BY_OTHERS)):
            continue
        for event, around in bare:
            if scaled_steps == {event.data.get("scaler") is None} and isinstance(event.subject, Optimizer) and event.subject.slot in alike:
                return event, around, scaled_steps == {True}
    return None


def _comes_with(clip: Context, step: Context) -> bool:
    """True where each condition that a clip stands under is that of its step, too, or holds by default."""
    asked, shared = guards(step), {id(arm) for _, arm in step.arms}

    def known(branch: Branch, arm: Arm) -> bool:
        holding = arm_guards(branch, arm)
        return arm.label == "default" or id(arm) in shared or (bool(holding) and asked.issuperset(holding))

    return all(known(branch, arm) for branch, arm in clip.arms)
