"""How sure it is that a value is meant for the thing that it reaches, where flags choose between things."""

from __future__ import annotations

from typing import TypedDict

from advisor.model.finding import Confidence, Severity
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.source import Known


class Hedge(TypedDict, total=False):
    """What a finding takes back: nothing, its confidence, or all but a hint."""

    confidence: Confidence
    severity: Severity


def hedge(recipe: Recipe, optimizer: Optimizer, value: Known, *, default_path: bool = True, even_so: bool = False) -> Hedge:
    """A default that several optimizers share was chosen for one of them only, so about the others it is a hint; a flag makes it medium.

    `even_so` keeps the severity: the value is wrong whoever it was chosen for.
    """
    others = any(other is not optimizer and other.slot is optimizer.slot for other in recipe.optimizers)
    if value.weak and (others or optimizer.flag_off) and not even_so and not _is_default(recipe, optimizer):
        return {"confidence": "medium", "severity": "hint"}
    return {} if default_path and not optimizer.flag_off and not (others and value.weak) else {"confidence": "medium"}


def _is_default(recipe: Recipe, optimizer: Optimizer) -> bool:
    """True for the one of several that is built with default flags: the others are known to need a flag."""
    rest = [other for other in recipe.optimizers if other is not optimizer and other.slot is optimizer.slot]
    return not optimizer.flag_off and bool(rest) and all(other.flag_off for other in rest)
