"""Which samplers balance classes, and which of them training uses."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.recipe import Loader, Recipe, Sampler

BALANCING = frozenset({
    "WeightedRandomSampler", "ImbalancedDatasetSampler", "BalancedBatchSampler", "StratifiedBatchSampler", "BalanceClassSampler",
    "DistributedWeightedSampler", "ImbalancedSampler", "ClassBalancedSampler",
})  # fmt: skip


def is_balancing(sampler: Sampler) -> bool:
    """True for samplers that draw rare classes more often."""
    return sampler.name in BALANCING


def of_training(recipe: Recipe) -> Iterator[tuple[Loader, Sampler]]:
    """Every sampler of a training loader."""
    for loader in recipe.loaders:
        if loader.role == "train":
            for sampler in loader.samplers:
                yield loader, sampler
