"""Where gradients are clipped, relative to the backward before and the step behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from advisor.model.events import Context, Event, Kind, events, once
from advisor.model.folds import EVERYTHING, Order, TrainingLoop, contains, guards, training_loop, violations
from advisor.model.gradients import by_hand, filled, holds_some, stepped, wiped
from advisor.model.recipe import Clip, Module, Optimizer, Parameters, Recipe, Scaler
from advisor.model.record import dataclass
from advisor.model.scaling import is_off


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
        step = violation.armed_by[0][0]
        where: Literal["after-step", "before-backward"] = "after-step" if at[step] < at[violation.event] else "before-backward"
        found.setdefault(violation.event, Misplaced(violation.event, step, where))
    return list(found.values())


def wasted(recipe: Recipe) -> list[tuple[Event, Event]]:
    """Every clip whose gradients are cleared before any step uses them, with what clears them."""
    fates = [(clip, *_fate(clip, context, recipe)) for clip, context in clips(recipe)]
    used = {clip.place for clip, used, _ in fates if used}  # an observed run has an event for each turn
    return [(clip, clearing) for clip, _, clearing in fates if clearing is not None and clip.place not in used]


def _fate(clip: Event, context: Context, recipe: Recipe) -> tuple[bool, Event | None]:
    """Whether a step may use what is clipped, and what surely clears it where none does."""
    touched, sure = clipped(clip, recipe), guards(context)
    moved = {event.subject.slot for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)}
    touched = [optimizer for optimizer in touched if optimizer.slot in moved]  # one that never steps is another matter
    if not touched or by_hand(recipe, clip.subject.parameters.modules):
        return True, None
    certain = {event for event, around in events(recipe.tree, Kind.ZERO_GRAD) if guards(around) <= sure}

    def arms(event: Event) -> list[Optimizer]:
        return touched if event is clip else []

    def wipes(event: Event) -> list[Optimizer]:
        return wiped(event, recipe) if event in certain else []

    def uses(event: Event) -> list[Optimizer]:
        unread = event.kind is Kind.ESCAPE or (event.kind is Kind.OPTIMIZER_STEP and not isinstance(event.subject, Optimizer))
        moved = {event.subject.slot} if isinstance(event.subject, Optimizer) and event.kind is Kind.OPTIMIZER_STEP else set()
        return touched if unread else [optimizer for optimizer in touched if optimizer.slot in moved]

    used = violations(recipe.tree, Order(checks=uses, clears=wipes, arms=arms))
    cleared = violations(recipe.tree, Order(checks=wipes, clears=uses, arms=arms))
    return bool(used), cleared[0].event if cleared else None


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
