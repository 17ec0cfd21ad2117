"""prodigyopt: the Prodigy optimizer, which finds its own rate."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["prodigyopt"] = "prodigyopt 1.1"
register(
    "prodigyopt.Prodigy",
    "params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-08, weight_decay=0, decouple=True, use_bias_correction=False, safeguard_warmup=False, "
    "d0=1e-06, d_coef=1.0, growth_rate=1e999, fsdp_in_use=False, slice_p=1",
    VERSION,
)
