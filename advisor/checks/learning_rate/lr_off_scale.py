"""Learning rates outside the band of their optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.kinds import CONVOLUTION, domain, family, from_scratch, has_frozen, is_linear, is_pretrained, layers
from advisor.model.length import most_steps
from advisor.model.rates import Rate, rates, rates_known, unsettled
from advisor.model.recipe import Optimizer
from advisor.model.source import number, value_of
from advisor.norms import standing
from advisor.norms.table import group_of

UNPUBLISHED = {"far-above": "far-above-unpublished", "above": "above-unpublished", "below": "below-unpublished"}


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Each rate that moves weights, against the band of the optimizer."""
    kind = group_of(optimizer.name)
    band = ctx.limits.get(kind)
    if not isinstance(band, Mapping):
        return
    steps = most_steps(ctx.recipe)
    if ctx.recipe.measures_speed or (ctx.recipe.loaders.absent and steps is not None and steps <= ctx.limit("few")):
        return
    band = {**ctx.rule.limits.get(kind, {}), **band}
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    if not rates_known(ctx.recipe, optimizer):
        ctx.skip("the learning rate is not known", optimizer)
    seen = set()
    for rate in rates(ctx.recipe, optimizer):
        case = None if rate.known.default is not None or rate.inputs or rate.value in seen else _case(rate, optimizer, band, ctx)
        if case:
            seen.add(rate.value)
            yield _finding(case, rate, optimizer, band, ctx)


def _case(rate: Rate, optimizer: Optimizer, band: Mapping[str, float], ctx: Context) -> str | None:
    far, lenient = band.get("far"), band.get("lenient")
    if far is not None and is_linear(optimizer.modules):
        return "above" if rate.value > far * ctx.limit("linear") else None
    if far is not None and rate.value >= far:
        return "far-above"
    if rate.value > band["high"]:
        roomy = lenient is not None and _needs_room(rate, optimizer, ctx, by_gradient=far is None)
        return "above" if rate.modules and (not roomy or rate.value > (lenient or 0)) else None
    return "below" if 0 < rate.value < band["low"] and _harmed_by_small(rate, band, ctx) else None


def _needs_room(rate: Rate, optimizer: Optimizer, ctx: Context, by_gradient: bool) -> bool:
    """High rates are usual without a loader (whole batches, policies), on one layer, frozen features, bags of embeddings, behind a tight clip,
    and where a large epsilon makes the steps smaller.

    A clip bounds only the steps that grow with the gradient (`by_gradient`); Adam and its like divide it out.
    """
    modules, clips = rate.modules, ctx.recipe.clipping
    if ctx.recipe.loaders.absent or (number(optimizer.settings.get("eps")) or 0) >= ctx.limit("damped"):
        return True
    tight = by_gradient and (not clips.complete or any((value := number(clip.value)) is None or value <= ctx.limit("tight-clip") for clip in clips))
    frozen = has_frozen(ctx.recipe.models)
    return tight or frozen or is_linear(optimizer.modules) or family(modules) == "gnn" or bool(layers(modules, frozenset({"EmbeddingBag"})))


def _harmed_by_small(rate: Rate, band: Mapping[str, float], ctx: Context) -> bool:
    """Plain SGD is small only on a network from scratch whose loss is a mean; fine-tuning goes lower than training."""
    if band.get("scratch"):
        summed = any(loss.user_class or value_of(loss.settings.get("reduction")) not in ("mean", None) for loss in ctx.recipe.losses)
        return from_scratch(rate.modules) and bool(layers(rate.modules, CONVOLUTION)) and not summed
    pretrained = is_pretrained(rate.modules) or not rate.modules
    return rate.value < (band["low"] / ctx.limit("fine-tuning") if pretrained else band["low"])


def _finding(case: str, rate: Rate, optimizer: Optimizer, band: Mapping[str, Any], ctx: Context) -> Finding:
    sure = hedge(ctx.recipe, optimizer, rate.known, default_path=rate.default_path and bool(rate.modules), even_so=case == "far-above")
    values: dict[str, Any] = {"value": rate.value, "low": band["low"], "high": band["high"], "start": band["start"], "value_from": rate.known}
    found = standing(optimizer.name, rate.value, domain=domain(ctx.recipe, optimizer), family=family(rate.modules))
    if found is None:
        return ctx.finding(UNPUBLISHED[case], at=optimizer, **sure, **values)
    values |= {"low": found.low, "high": found.high, "n": found.n, "scope": found.scope, "share": found.above if case == "below" else found.below}
    return ctx.finding(case, at=optimizer, **sure, **values)
