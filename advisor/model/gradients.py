"""Whose gradients an event fills, uses or clears: what the rules on `backward`, `step` and `zero_grad` arm, check and clear."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.model.events import Context, Event, Kind, Loop, events
from advisor.model.facts import UNREAD, whole, wholes
from advisor.model.folds import EVERYTHING, Everything, training_loop
from advisor.model.recipe import Fact, Flow, Module, Optimizer, Parameters, Recipe

HAND_MADE = (Kind.GRAD_WRITE, Kind.AUTOGRAD_GRAD)


def stepped(event: Event) -> tuple[Optimizer, ...]:
    """The optimizer that a step uses the gradients of. A step with a closure computes its own: none."""
    if event.kind is Kind.OPTIMIZER_STEP and isinstance(event.subject, Optimizer) and not event.data.get("closure"):
        return (event.subject,)
    return ()


def escaped(event: Event) -> Iterable[Optimizer] | Everything:
    """The optimizers that code which could not be read may have stepped or cleared here."""
    if event.kind is Kind.UNTOLD:
        return EVERYTHING
    if event.kind is not Kind.ESCAPE:
        return ()
    return (event.subject,) if isinstance(event.subject, Optimizer) else EVERYTHING if isinstance(event.subject, Module) else ()


def cleared(event: Event, recipe: Recipe) -> Iterable[Optimizer] | Everything:
    """The optimizers whose gradients are gone after an event, taken generously: any overlap counts, and so does a gradient set by hand."""
    if event.kind is Kind.GRAD_WRITE:
        return EVERYTHING if event.data.get("what") == "grad" else ()
    if event.kind is Kind.BUILD:
        return (event.subject,) if isinstance(event.subject, Optimizer) else ()  # a new one for new weights
    if event.kind is not Kind.ZERO_GRAD or event.data.get("partial"):
        return escaped(event)
    subject = event.subject
    if isinstance(subject, Optimizer):
        return [subject, *(other for other in recipe.optimizers if holds_some(other, subject.modules) or _may_share(other, subject))]
    if isinstance(subject, Module):
        return [optimizer for optimizer in recipe.optimizers if not optimizer.modules or holds_some(optimizer, (subject,))]
    return EVERYTHING


def _may_share(one: Optimizer, other: Optimizer) -> bool:
    """True where nothing tells whose weights one of two optimizers holds, or where both hold those of models of which nothing was read."""
    if any(not held.modules and not any(group.parameters.inputs for group in held.groups) for held in (one, other)):
        return True
    return all(any(module.kind == UNREAD for module in held.modules) for held in (one, other))


def partly_cleared(recipe: Recipe) -> frozenset[Event]:
    """The clearings that a loop over weights makes only for some of them, by their names; `if p.grad is not None` is no choice."""
    found = set()
    for event, context in events(recipe.tree, Kind.ZERO_GRAD):
        at = max((at for at, node in enumerate(context.path) if isinstance(node, Loop) and node.what == "parameters"), default=None)
        chosen = [node[0].condition for node in context.path[at:] if isinstance(node, tuple)] if at is not None else []
        if any(condition is not None and "grad" not in condition.text for condition in chosen):
            found.add(event)
    return frozenset(found)


def wiped(event: Event, recipe: Recipe) -> list[Optimizer]:
    """The optimizers whose gradients are surely all gone after an event."""
    if event.kind is not Kind.ZERO_GRAD or event.data.get("partial"):
        return []
    if isinstance(event.subject, Optimizer):
        return [event.subject]
    if isinstance(event.subject, Module):
        below = {part.slot for part in whole(event.subject)}  # of models that a flag chooses, each stands for all
        return [optimizer for optimizer in recipe.optimizers if optimizer.modules and all(module.slot in below for module in optimizer.modules)]
    return []


def filled(event: Event) -> Everything | Iterable[Optimizer]:
    """Said of what may put a gradient where a step finds it: a backward, a gradient by hand, a model in hands that could not be read."""
    if event.kind in (Kind.BACKWARD, Kind.AUTOGRAD_GRAD) or (event.kind is Kind.GRAD_WRITE and event.data.get("what") == "grad"):
        return EVERYTHING
    return escaped(event)


def frozen_throughout(recipe: Recipe, optimizer: Optimizer) -> frozenset[Module]:
    """The modules that are surely frozen whenever an optimizer steps, whatever becomes of them before and behind."""
    now: set[Module] = set()
    found: set[Module] | None = None
    for event, _ in events(recipe.tree, Kind.FREEZE, Kind.OPTIMIZER_STEP):
        if event.kind is Kind.FREEZE:
            parts = set(event.subject.walk()) if isinstance(event.subject, Module) else set()
            now = now | parts if event.data.get("was") else now - parts
        elif isinstance(event.subject, Optimizer) and event.subject.slot is optimizer.slot:
            found = set(now) if found is None else found & now
    return frozenset(found or ())


def holds_some(optimizer: Optimizer, modules: Iterable[Module]) -> bool:
    """True when an optimizer holds weights of one of these modules or of a part of it, or the other way round."""
    return not wholes(optimizer.modules).isdisjoint(wholes(modules))


def by_hand(recipe: Recipe, modules: Iterable[Module] = ()) -> bool:
    """True when the program writes gradients or trained weights itself while it trains: steps and backwards need not pair then.

    Where `modules` are given, writes that are known to concern none of them do not count.
    """
    held = wholes(modules)
    for event, context in events(recipe.tree, *HAND_MADE):
        if event.kind is Kind.AUTOGRAD_GRAD:
            return True
        repeated = any(loop.what not in ("parameters", "turn", "items") for loop in context.loops)
        if repeated and not follows(event) and not (held and _elsewhere(event, held)):
            return True
    return False


def _elsewhere(event: Event, held: frozenset[Module]) -> bool:
    """True for a write that is known to concern other modules than these."""
    written = event.subject.modules if isinstance(event.subject, Parameters) else ()
    return bool(written) and held.isdisjoint(wholes(written))


def follows(event: Event) -> bool:
    """True for a write to copies alone: averages of weights, target networks, teachers."""
    modules = event.subject.modules if isinstance(event.subject, Parameters) else ()
    return bool(modules) and all(module.copy_of is not None for module in modules)


def backward_beside(context: Context) -> Event | None:
    """The first backward of the batch loop that something stands in."""
    loop = training_loop(context)
    return next((event for event, _ in events(loop.batch.body, Kind.BACKWARD)), None) if loop is not None else None


def reached(event: Event) -> frozenset[Module]:
    """Every module that the loss of a backward is known to come through, with all parts; empty when that is not known."""
    flow = event.data.get("flow")
    return wholes(flow.modules) if isinstance(flow, Flow) else frozenset()


def kinds_of(recipe: Recipe, slot: Fact) -> str:
    """The classes that one name may hold by a flag, in words: "Adam or SGD"."""
    names = [optimizer.name for optimizer in recipe.optimizers if optimizer.slot is slot] or [getattr(slot, "name", "")]
    return " or ".join(dict.fromkeys(names))


def escaped_to(recipe: Recipe, slot: Fact) -> str | None:
    """Who an optimizer was handed to that could not be read; None when nobody."""
    return next((optimizer.escaped for optimizer in recipe.optimizers if optimizer.slot is slot and optimizer.escaped), None)


def owned(recipe: Recipe, slot: Fact) -> bool:
    """True when a framework builds and steps it."""
    return any(optimizer.owner for optimizer in recipe.optimizers if optimizer.slot is slot)
