"""Which networks training goes through beside those whose weights an optimizer holds."""

from __future__ import annotations

from advisor.model.events import Kind, events
from advisor.model.facts import wholes
from advisor.model.folds import training_loop
from advisor.model.modes import gradients_on
from advisor.model.recipe import Flow, Module, Recipe


def linked(recipe: Recipe, held: set[Module]) -> set[Module]:
    """The models that what is trained goes through: those that are given what a held one gave, or give a held one what it takes, and those whose
    output is what a loss measures, not what it is measured by. A network that another is compared with is none of them."""
    found: set[Module] = set()
    for event, _ in events(recipe.tree, Kind.FORWARD, Kind.LOSS):
        given, subject = event.data.get("input"), event.subject
        sources = wholes((*event.data.get("behind", ()), *(given.modules if isinstance(given, Flow) else ())))
        if event.kind is Kind.LOSS:
            aim = event.data.get("target")
            if not isinstance(aim, Flow) or held.isdisjoint(wholes(aim.modules)):
                found |= sources
        elif isinstance(subject, Module) and subject in held:
            found |= sources
        elif isinstance(subject, Module) and not held.isdisjoint(sources):
            found.add(subject)
    return found


def renewed(recipe: Recipe, module: Module) -> bool:
    """True for a network that is given weights in a loop: it follows another one."""
    return any(event.subject.module is module and context.loops for event, context in events(recipe.tree, Kind.RESTORE))


def run_with_gradients(recipe: Recipe) -> set[Module]:
    """The models that training runs with gradients on, every time."""
    runs: dict[Module, bool] = {}
    for event, context in events(recipe.tree, Kind.FORWARD):
        if isinstance(event.subject, Module) and training_loop(context) is not None:
            runs[event.subject] = runs.get(event.subject, True) and gradients_on(event, context)
    return {module for module, always in runs.items() if always}
