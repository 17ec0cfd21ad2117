"""Weight decay far above what this optimizer is used with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.recipe import Optimizer
from advisor.model.source import candidates, is_unknown
from advisor.norms import standing
from advisor.norms.table import group_of


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Each decay, of the optimizer and of its groups, against the band of the optimizer."""
    kind = group_of(optimizer.name)
    band = ctx.limits.get(kind)
    if not isinstance(band, Mapping):
        return
    band = {**ctx.rule.limits.get(kind, {}), **band}
    for setting in (optimizer.settings.get("weight_decay"), *(group.settings.get("weight_decay") for group in optimizer.groups)):
        for index, known in enumerate(candidates(setting)):
            value = known.value
            if known.default is not None or not isinstance(value, (int, float)) or not value > band["high"]:
                continue
            if _pulls_little(optimizer, float(value), band.get("pull")):
                continue
            found = standing(optimizer.name, float(value), setting="weight_decay")
            sure = hedge(ctx.recipe, optimizer, known, default_path=index == 0)
            values: dict[str, Any] = {"value": float(value), "high": band["high"], "usual": found.high if found else band["high"]}
            case = "far-above" if value > band["far"] else "above"
            yield ctx.finding(case, at=optimizer, value_from=known, **sure, **values)
            return


def _pulls_little(optimizer: Optimizer, decay: float, least: float | None) -> bool:
    """True where every rate is so small that the decay shrinks the weights by less in a step than the usual recipe: the loss is a sum, say."""
    held = [optimizer.settings, *(group.settings for group in optimizer.groups)]
    given = [rate for settings in held if (rate := settings.get("lr")) is not None]
    rates = [known.value for rate in given for known in candidates(rate)]
    if least is None or not rates or any(is_unknown(rate) for rate in given):
        return False
    return all(isinstance(value, (int, float)) and value * decay < least for value in rates)
