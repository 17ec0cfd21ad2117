"""dadaptation: optimizers that find their own rate."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["dadaptation"] = "dadaptation 3.2"
_END = "d0=1e-06, growth_rate=1e999"
OPTIMIZERS = {
    "DAdaptAdam": (
        "params, lr=1.0, betas=(0.9, 0.999), eps=1e-08, weight_decay=0, log_every=0, decouple=False, use_bias_correction=False, "
        f"{_END}, fsdp_in_use=False"
    ),
    "DAdaptSGD": f"params, lr=1.0, momentum=0.0, weight_decay=0, log_every=0, {_END}, fsdp_in_use=False",
    "DAdaptAdaGrad": f"params, lr=1.0, momentum=0, log_every=0, weight_decay=0.0, eps=1e-06, {_END}",
    "DAdaptAdan": f"params, lr=1.0, betas=(0.98, 0.92, 0.99), eps=1e-08, weight_decay=0.02, no_prox=False, log_every=0, {_END}",
    "DAdaptLion": "params, lr=1.0, betas=(0.9, 0.99), weight_decay=0.0, log_every=0, d0=1e-06, fsdp_in_use=False",
}
for _name, _text in OPTIMIZERS.items():
    register(f"dadaptation.{_name}", _text, VERSION)
