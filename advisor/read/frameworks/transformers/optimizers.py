"""Optimizers of Transformers itself."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["transformers"]
register(
    "transformers.Adafactor",
    "params, lr=None, eps=(1e-30, 0.001), clip_threshold=1.0, decay_rate=-0.8, beta1=None, weight_decay=0.0, "
    "scale_parameter=True, relative_step=True, warmup_init=False",
    VERSION,
)
register("transformers.AdamW", "params, lr=0.001, betas=(0.9, 0.999), eps=1e-06, weight_decay=0.0, correct_bias=True", "Transformers 4.46")
