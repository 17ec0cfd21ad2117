"""How long a program trains: many steps, or the few of a demonstration, whose outcome nobody compares with another."""

from __future__ import annotations

from advisor.model.events import Kind, Loop, events
from advisor.model.recipe import Recipe
from advisor.model.source import Known, number


def most_steps(recipe: Recipe) -> float | None:
    """So many steps an optimizer takes at most in one go, where every loop around them says how often it turns and no option changes it."""
    found = list(events(recipe.tree, Kind.OPTIMIZER_STEP)) or list(events(recipe.tree, Kind.BACKWARD))
    around = [[loop for loop in context.loops if loop.what not in ("turn", "parameters")] for _, context in found]
    alone = around.count([])
    if alone and not recipe.loaders.absent:
        return None  # somebody who is not seen may call them for each batch
    known = [turns for loops in around if loops and (turns := _turns(loops)) is not None]
    return max([alone, *known]) if around and len(known) + alone == len(around) else None


def _turns(loops: list[Loop]) -> float | None:
    turns = 1.0
    for loop in loops:
        count = number(loop.count)
        if count is None or (isinstance(loop.count, Known) and loop.count.weak):
            return None
        turns *= count
    return turns
