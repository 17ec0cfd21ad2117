"""Random numbers that reach training from no fixed seed."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.length import most_steps
from advisor.model.randomness import first_need, is_run, seeds_of, set_by_default
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """No seed of torch on any way through a program that trains."""
    steps = most_steps(recipe)
    if not is_run(recipe) or "seed" in recipe.owner_silences or (steps is not None and steps <= ctx.limit("few")):
        return
    seeds = seeds_of(recipe, "torch")
    need = first_need(recipe)
    if need is None or any(set_by_default(seed) for seed in seeds):
        return
    if seeds:
        yield ctx.finding("behind-flag", at=seeds[0])
    elif not recipe.seeds.complete:
        ctx.skip(recipe.seeds.why or "a seed may be set in what could not be read", need)
    elif recipe.seeds.items:
        yield ctx.finding("torch-not-seeded", at=need, seeded=", ".join(dict.fromkeys(seed.library for seed in recipe.seeds)))
    else:
        yield ctx.finding("nothing-seeded", at=need)
