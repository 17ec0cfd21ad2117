"""Layers in a plain list or dict, which the model does not know of."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.kinds import has_weights
from advisor.model.recipe import Module, Recipe


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Every attribute of a module of the project that holds layers in a plain container and nowhere else."""
    if not module.unregistered:
        return
    trained = {held for optimizer in ctx.recipe.optimizers for held in optimizer.modules}  # handed over one by one
    parts = {part for name, child in module.children.items() if not name.startswith("[") for part in child.walk()}
    registered = trained | parts | {layer for part in (module, *parts) for layer in part.keeps}
    for attribute, place in module.unregistered:
        keys = [name for name in module.children if name.startswith(f"[{attribute}.")]
        held = [module.children[name] for name in keys]
        chosen = any(part in registered for child in held for part in child.walk())
        if chosen and not any(name[:-1].rpartition(".")[2].isdigit() for name in keys):
            continue  # a dict to choose from: what was chosen, or layers of it, is a part of the model, and the others take no part in it
        if attribute in module.idle and not _run(held, ctx.recipe):
            continue  # whatever is in it, nothing runs it
        if any(has_weights(child) and not _known(child, registered) for child in held):
            case = "saved-whole" if _saved_whole(module, ctx.recipe) else "plain-container"
            yield ctx.finding(case, at=place, confidence="medium" if module.flag_off else None, attribute=attribute, model=module.name)


def _run(held: list[Module], recipe: Recipe) -> bool:
    """True when the program gives one of these, or a part of it, something to compute."""
    slots = {part.slot for child in held for part in child.walk()}
    return any(isinstance(event.subject, Module) and event.subject.slot in slots for event, _ in events(recipe.tree, Kind.FORWARD))


def _saved_whole(module: Module, recipe: Recipe) -> bool:
    """True when the model is written as an object: what its lists and dicts hold goes along."""
    return any("model" in save.parts.values() and (save.module is None or module in save.module.walk()) for save in recipe.saves)


def _known(module: Module, registered: set[Module]) -> bool:
    """Whether a module is a part of the model some other way, or a new sequence of such: [nn.Sequential(layer) for layer in self.features]."""
    sequence = module.kind == "torch.nn.Sequential" and module.children
    if module in registered or module.copy_of in registered:
        return True
    return bool(sequence and all(_known(child, registered) for child in module.children.values()))
