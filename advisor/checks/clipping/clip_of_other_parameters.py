"""Clipping of weights that this step does not move."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.clearing import emptied
from advisor.model.clips import clipped, clips, steps_beside, wasted
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, events
from advisor.model.facts import wholes
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.gradients import reached
from advisor.model.kinds import known_throughout
from advisor.model.recipe import Clip, Module, Optimizer, Parameters, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each clip whose weights no optimizer holds while others step in its batch loop, or whose gradients never come to a step."""
    for clip, clearing in wasted(recipe):
        if any(found.clearing is clearing for found in emptied(recipe)):
            continue  # zero-grad-before-step says it better
        yield ctx.finding("cleared", at=clip, clipped=_names(clip.subject.parameters.modules), line=clearing.place)
    for event, around in clips(recipe):
        assert isinstance(event.subject, Clip)
        given = event.subject.parameters
        if given is None or not _certain(given) or _handed_on(around):
            continue
        touched = clipped(event, recipe)
        stepped = [step.subject for step, _, _ in steps_beside(recipe, event, around)] if not touched else _others(event, around, touched)
        known = [optimizer for optimizer in stepped if isinstance(optimizer, Optimizer) and _judged(optimizer)]
        if known and len(known) == len(stepped):
            yield ctx.finding("others", at=event, clipped=_names(given.modules), stepped=_names(known[0].modules))


def _others(clip: Event, around: Around, touched: list[Optimizer]) -> list[object]:
    """What steps in the batch loop of a clip, where no optimizer of what is clipped does and no loss comes through that."""
    loop, slots = training_loop(around), {optimizer.slot for optimizer in touched}
    if loop is None:
        return []
    steps = [event.subject for event, _ in events(loop.batch.body, Kind.OPTIMIZER_STEP)]
    if any(isinstance(step, Optimizer) and step.slot in slots for step in steps):
        return []
    cut = wholes(clip.subject.parameters.modules)
    losses = [reached(event) for event, _ in events(loop.batch.body, Kind.BACKWARD)]
    return steps if all(parts and cut.isdisjoint(parts) for parts in losses) else []


def _handed_on(around: Around) -> bool:
    """True where gradients are written by hand in the same batch loop: those of a worker's copy go to the shared model that steps."""
    loop = training_loop(around)
    return loop is not None and any(event.data.get("what") == "grad" for event, _ in events(loop.batch.body, Kind.GRAD_WRITE))


def _certain(parameters: Parameters) -> bool:
    return bool(parameters.modules) and not parameters.inputs and known_throughout(parameters.modules)


def _judged(optimizer: Optimizer) -> bool:
    """True when it is known which weights an optimizer holds."""
    return optimizer.groups_complete and bool(optimizer.groups) and all(_certain(group.parameters) for group in optimizer.groups)


def _names(modules: tuple[Module, ...]) -> str:
    return ", ".join(dict.fromkeys(module.name for module in modules))
