"""Muon given weights that are no matrices."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import CONVOLUTION
from advisor.model.recipe import Module, Optimizer
from advisor.model.source import Known

VECTORS = frozenset({"LayerNorm", "RMSNorm", "GroupNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "PReLU"})
WITH_BIAS = frozenset({"Linear", "LSTM", "GRU", "RNN", "MultiheadAttention"})


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """torch's Muon over all weights of a model in which some are vectors."""
    if optimizer.kind != "torch.optim.Muon":
        return
    for group in optimizer.groups:
        parameters = group.parameters
        if not parameters.exact or parameters.filtered is not None:
            continue
        layer = next((part for module in parameters.modules for part in module.walk() if _not_matrix(part)), None)
        if layer is not None:
            case = "convolution" if layer.name in CONVOLUTION else "vector"
            yield ctx.finding(case, at=optimizer, confidence="medium" if optimizer.flag_off else None, layer=layer.name, line=layer.place)
            return


def _not_matrix(layer: Module) -> bool:
    if layer.user_class:
        return False
    bias = layer.settings.get("bias")
    return layer.name in VECTORS or layer.name in CONVOLUTION or (layer.name in WITH_BIAS and isinstance(bias, Known) and bias.value is True)
