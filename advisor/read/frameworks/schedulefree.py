"""schedulefree: optimizers without a schedule, with modes of their own."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["schedulefree"] = "schedulefree 1.4"
_ADAM = "params, lr=0.0025, betas=(0.9, 0.999), eps=1e-08, weight_decay=0"
OPTIMIZERS = {
    "AdamWScheduleFree": f"{_ADAM}, warmup_steps=0, r=0.0, weight_lr_power=2.0, foreach=True",
    "AdamWScheduleFreeClosure": f"{_ADAM}, warmup_steps=0, r=0, weight_lr_power=2.0, foreach=True",
    "RAdamScheduleFree": f"{_ADAM}, r=0.0, weight_lr_power=2.0, foreach=True, silent_sgd_phase=True",
    "SGDScheduleFree": "params, lr=1.0, momentum=0.9, weight_decay=0, warmup_steps=0, r=0.0, weight_lr_power=2, foreach=True",
    "SGDScheduleFreeClosure": "params, lr=1.0, weight_decay=0, momentum=0.9, warmup_steps=0, r=0.0, weight_lr_power=2.0, foreach=True",
}
for _name, _text in OPTIMIZERS.items():
    register(f"schedulefree.{_name}", _text, VERSION)
