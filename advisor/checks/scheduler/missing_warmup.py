"""Transformers trained from scratch at a high Adam rate from the first step."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import is_pretrained, parts
from advisor.model.rates import rates, schedulers_of, unsettled
from advisor.model.recipe import Module, Optimizer
from advisor.model.schedules import WARMING
from advisor.model.source import number, value_of
from advisor.model.warmup import warmup_steps


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Only library encoder and decoder layers show where their norms stand; nothing else is judged."""
    layers = [part for part in parts(optimizer.modules) if part.name in ("TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer")]
    if optimizer.name not in ("Adam", "AdamW", "NAdam", "Adamax") or not layers or is_pretrained(optimizer.modules):
        return
    layers = [layer for layer in layers if not layer.flag_off] or layers
    schedulers = schedulers_of(ctx.recipe, optimizer)
    if not ctx.recipe.schedulers.complete or unsettled(ctx.recipe, optimizer):
        ctx.skip("what writes the learning rate is not fully known", optimizer)
        return
    if any(scheduler.name in WARMING or warmup_steps(scheduler) for scheduler in schedulers):
        return
    for rate in rates(ctx.recipe, optimizer):
        if rate.value >= ctx.limit("rate") and rate.default_path:
            case = _case(layers, optimizer, ctx)
            if case is not None:
                yield ctx.finding(case, at=optimizer, value_from=rate.known, value=rate.value, line=layers[0].place, under=layers[0])
            return


def _case(layers: list[Module], optimizer: Optimizer, ctx: Context) -> str | None:
    first_norm = [value_of(layer.settings.get("norm_first")) for layer in layers]
    if not all(isinstance(value, bool) for value in first_norm):
        return None
    if all(first_norm):
        return "pre-norm"
    return "post-norm" if _depth(layers, optimizer) > ctx.limit("layers") else "shallow"


def _depth(layers: list[Module], optimizer: Optimizer) -> float:
    """How many such layers are stacked: the encoder says it, else they are counted."""
    stacked = [part for part in parts(optimizer.modules) if part.name in ("TransformerEncoder", "TransformerDecoder", "Transformer")]
    given = [number(part.settings.get(name)) for part in stacked for name in ("num_layers", "num_encoder_layers", "num_decoder_layers")]
    return max(sum(count for count in given if count), len(layers))
