"""torchsampler: its sampler; see torch/samplers.py."""

from __future__ import annotations

from advisor.read.frameworks.torch import samplers

__all__ = ["samplers"]
