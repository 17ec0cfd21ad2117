"""How sure it is that a value is meant for the thing that it reaches, where flags choose between things."""

from __future__ import annotations

from typing import TypedDict

from advisor.model.finding import Confidence, Severity
from advisor.model.kinds import is_test
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import Known


class Hedge(TypedDict, total=False):
    """What a finding takes back: nothing, its confidence, or all but a hint."""

    confidence: Confidence
    severity: Severity


def hedge(
    recipe: Recipe, optimizer: Optimizer, value: Known, *, default_path: bool = True, even_so: bool = False, model: Module | None = None
) -> Hedge:
    """A value that several optimizers share was chosen for one of them only, so about the others it is a hint; a flag makes it medium.

    `even_so` keeps the severity of a default behind a flag: it is wrong for this optimizer whoever it was chosen for. `model` is the one that is
    said to be trained with it: a default is meant for the model that is trained by default.
    """
    rest = [other for other in recipe.optimizers if other is not optimizer and other.slot is optimizer.slot]
    shared = any(other.name != optimizer.name for other in rest) and bool(value.origin)
    by_default = not optimizer.flag_off and bool(rest) and all(other.flag_off for other in rest)
    elsewhere = optimizer.flag_off and value.weak and (_by_name(optimizer) or not even_so)
    elsewhere = elsewhere or (model is not None and model.flag_off and value.weak and _by_name(model))
    if is_test(recipe.entry, recipe) or is_test(optimizer.place.file, recipe) or (shared and not by_default) or elsewhere:
        return {"confidence": "medium", "severity": "hint"}
    return {} if default_path and not optimizer.flag_off and (model is None or not model.flag_off) else {"confidence": "medium"}


def _by_name(thing: Optimizer | Module) -> bool:
    """True for what an option names: who names it gives its rate too."""
    return " == " in (thing.when or "") or " in " in (thing.when or "")
