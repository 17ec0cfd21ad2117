"""Random steps of a pipeline whose probability is none."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.pipelines import LIBRARIES
from advisor.model.recipe import Transform
from advisor.model.source import first

NAMES = ("p", "prob")


def check(transform: Transform, ctx: Context) -> Iterator[Finding]:
    """The probability that a step was given, where it is one."""
    if transform.weighed or not transform.kind.startswith((*LIBRARIES, "monai.")) or is_test(ctx.recipe.entry, ctx.recipe):
        return
    for name in NAMES:
        known = first(transform.settings.get(name))
        value = known.value if known is not None and known.default is None else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        case = "above-one" if value > ctx.limit("most") else "negative" if value < 0 else None
        if case is not None:
            yield ctx.finding(case, at=transform, value_from=known, kind=transform.name, setting=name, value=float(value))
