"""Lightning Bolts: its schedule."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.schedulers import register

table.VERSIONS["pl_bolts"] = "Lightning Bolts 0.7"
for _module in ("optimizers", "optimizers.lr_scheduler"):
    register(
        f"pl_bolts.{_module}.LinearWarmupCosineAnnealingLR",
        "optimizer, warmup_epochs, max_epochs, warmup_start_lr=0.0, eta_min=0.0, last_epoch=-1",
    )
