"""lion-pytorch: the Lion optimizer."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["lion_pytorch"] = "lion-pytorch 0.2"
register("lion_pytorch.Lion", "params, lr=0.0001, betas=(0.9, 0.99), weight_decay=0.0, use_triton=False, decoupled_weight_decay=False", VERSION)
