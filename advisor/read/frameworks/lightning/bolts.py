"""Lightning Bolts: its schedule. It is no table of its own, so that a program inside of the library reads the files that are there."""

from __future__ import annotations

from advisor.read.frameworks.torch.schedulers import register

for _module in ("optimizers", "optimizers.lr_scheduler"):
    register(
        f"pl_bolts.{_module}.LinearWarmupCosineAnnealingLR",
        "optimizer, warmup_epochs, max_epochs, warmup_start_lr=0.0, eta_min=0.0, last_epoch=-1",
    )
