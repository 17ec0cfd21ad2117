"""apex: fused optimizers, and its old mixed precision."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["apex"] = "apex"
_BEGIN = "params, lr=0.001, bias_correction=True, betas=(0.9, 0.999)"
OPTIMIZERS = {
    "FusedAdam": f"{_BEGIN}, eps=1e-08, adam_w_mode=True, weight_decay=0.0, amsgrad=False, set_grad_none=True",
    "FusedLAMB": (
        f"{_BEGIN}, eps=1e-06, weight_decay=0.01, amsgrad=False, adam_w_mode=True, "
        "grad_averaging=True, set_grad_none=True, max_grad_norm=1.0"
    ),
    "FusedSGD": "params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False",
    "FusedNovoGrad": f"{_BEGIN}, eps=1e-08, weight_decay=0.0",
}
for _name, _text in OPTIMIZERS.items():
    register(f"apex.optimizers.{_name}", _text, VERSION)
