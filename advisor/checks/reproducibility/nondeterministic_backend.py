"""Determinism asked for, with the switch beside it that takes it back."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Recipe
from advisor.model.source import Known

ASKED = ("cudnn.deterministic", "deterministic_algorithms")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """cuDNN may pick its algorithms by timing although determinism is asked for."""
    benchmark = recipe.backend.get("cudnn.benchmark")
    for name in ASKED:
        asked = recipe.backend.get(name)
        if isinstance(benchmark, Known) and isinstance(asked, Known) and benchmark.value is True and asked.value is True and not benchmark.weak:
            yield ctx.finding("benchmark", at=benchmark, value_from=asked, asked=name)
            return
