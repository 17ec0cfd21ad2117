"""Class weights that grow with the number of samples, so that rare classes count least."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import class_weights
from advisor.model.recipe import Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Weights of losses and of weighted samplers that are proportional to the counts."""
    for loss in recipe.losses:
        argument = class_weights(loss)
        if argument is not None and loss.weighting == "proportional":
            yield ctx.finding("loss", at=loss, loss=loss.name, argument=argument)
    for loader in recipe.loaders:
        for sampler in loader.samplers:
            if sampler.weighting == "proportional":
                yield ctx.finding("sampler", at=sampler.weights_place or sampler, sampler=sampler.name)
