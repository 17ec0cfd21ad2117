"""Optimizers that are built and never step, although a backward fills their gradients."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.gradients import by_hand, escaped_to, holds_some, kinds_of, owned, reached
from advisor.model.linked import renewed
from advisor.model.recipe import Flow, Optimizer, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each optimizer without a step, whose weights a backward in a loop reaches and no other optimizer moves."""
    if not recipe.whole or "step" in recipe.owner_silences:
        return
    subjects = [event.subject for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    if any(not isinstance(subject, Optimizer) for subject in subjects):
        return
    stepping = {subject.slot for subject in subjects}
    training = [event for event, context in events(recipe.tree, Kind.BACKWARD) if training_loop(context) is not None]
    if not training or _measured_only(recipe):
        return
    for optimizer in recipe.optimizers:
        if optimizer.slot is not optimizer or optimizer in stepping or owned(recipe, optimizer) or not optimizer.modules:
            continue
        if optimizer.flag_off and len(recipe.optimizers.items) > 1:  # what steps it may stand under the same flag, where another one is at hand
            continue
        held = {part for module in optimizer.modules for part in module.walk()}
        backward = next((event for event in training if not held.isdisjoint(reached(event))), None)
        if backward is None or by_hand(recipe, optimizer.modules):
            continue
        if any(other.slot in stepping and holds_some(other, optimizer.modules) for other in recipe.optimizers):
            continue
        if all(module.trainable == "no" for module in optimizer.modules):
            continue  # no gradient is filled
        if all(renewed(recipe, module) for module in optimizer.modules):
            continue  # a target network, which is of the class of the one that it follows and has an optimizer as that one has
        if handed := escaped_to(recipe, optimizer):
            ctx.skip(f"the optimizer was handed to `{handed}`, which could not be read", optimizer)
            continue
        yield ctx.finding("no-step", at=backward, kind=kinds_of(recipe, optimizer), line=optimizer.place)


def _measured_only(recipe: Recipe) -> bool:
    """True for a program that runs its models on numbers that it draws, without a loader, and keeps nothing: the time it takes is of interest."""
    inputs = [event.data.get("input") for event, _ in events(recipe.tree, Kind.FORWARD)]
    drawn = bool(inputs) and all(isinstance(flow, Flow) and flow.activation == "random" for flow in inputs)
    return drawn and not recipe.loaders.items and not any(save.memory == "file" for save in recipe.saves)
