"""A rate given to an optimizer that finds its own."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.rates import rates, unsettled
from advisor.model.recipe import Optimizer
from advisor.model.source import Known, is_unknown, value_of

FACTORS = ("prodigy", "dadapt")


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Prodigy and D-Adaptation take a factor; transformers' Adafactor takes no rate while it sizes its steps itself."""
    name = optimizer.name.lower()
    if name == "adafactor" and optimizer.kind.startswith("transformers."):
        yield from _adafactor(optimizer, ctx)
    if not name.startswith(FACTORS):
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    for rate in rates(ctx.recipe, optimizer):
        if rate.known.default is None and not ctx.limit("low") <= rate.value <= ctx.limit("high"):
            far = rate.value < ctx.limit("far-low") or rate.value > ctx.limit("far-high")
            sure = hedge(ctx.recipe, optimizer, rate.known, default_path=rate.default_path)
            yield ctx.finding("no-factor" if far else "odd-factor", at=optimizer, value_from=rate.known, value=rate.value, **sure)


def _adafactor(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    rate, relative = optimizer.settings.get("lr"), optimizer.settings.get("relative_step")
    if is_unknown(relative):
        ctx.skip("relative_step is not known", optimizer)
    elif isinstance(rate, Known) and rate.value is not None and value_of(relative) is True:
        yield ctx.finding("relative-step", at=optimizer, value_from=rate, value=rate.value)
