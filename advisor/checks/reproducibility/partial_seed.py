"""Random numbers of a library that is not seeded beside torch, which is."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.randomness import draws, is_run, seeds_of, set_by_default, unseeded
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first number that numpy or random draws for training without a seed."""
    if not is_run(recipe) or not any(set_by_default(seed) and not seed.from_clock for seed in seeds_of(recipe, "torch")):
        return
    for library in ("numpy", "python"):
        for event, _ in draws(recipe, library):
            if unseeded(recipe, library):
                yield ctx.finding(library, at=event, what=event.data.get("what") or event.data.get("use"))
            elif not seeds_of(recipe, library):
                ctx.skip(f"a seed of {library} may be set in what could not be read", event)
            break
