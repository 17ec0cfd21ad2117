"""A recipe that a config, or the arguments of one call, tell whole: it becomes that of the program which trains with it."""

from __future__ import annotations

from advisor.model.recipe import LISTINGS, Recipe
from advisor.model.source import ABSENT
from advisor.read.python.reader import Reader


def adopt(reader: Reader, made: Recipe) -> None:
    """Takes over the facts, and the loop where the program stands now."""
    recipe = reader.recipe
    for name in dict.fromkeys(LISTINGS.values()):
        held, new = getattr(recipe, name), getattr(made, name)
        held.items += [item for item in new if item not in held.items]
        if not new.complete:
            held.complete, held.why = False, new.why
    reader.block += made.tree
    reader.leaves += 1
    recipe.framework, recipe.owner_silences = made.framework, recipe.owner_silences | made.owner_silences
    recipe.epochs, recipe.steps = made.epochs, made.steps
    recipe.precision = made.precision
    if made.accumulation is not ABSENT:
        recipe.accumulation = made.accumulation
