"""bitsandbytes: optimizers with states of 8 bits."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.torch.optim import register

VERSION = table.VERSIONS["bitsandbytes"] = "bitsandbytes 0.50"
_ADAM = "params, lr=0.001, betas=(0.9, 0.999), eps=1e-08"
_END = "amsgrad=False, optim_bits=32, args=None, min_8bit_size=4096"
for _bits in ("", "8bit", "32bit"):
    for _paged in ("", "Paged"):
        for _name, _decay in (("Adam", "0"), ("AdamW", "0.01")):
            register(f"bitsandbytes.optim.{_paged}{_name}{_bits}", f"{_ADAM}, weight_decay={_decay}, {_END}", VERSION)
        register(f"bitsandbytes.optim.{_paged}Lion{_bits}", "params, lr=0.0001, betas=(0.9, 0.99), weight_decay=0", VERSION)
    register(f"bitsandbytes.optim.SGD{_bits}", "params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False", VERSION)
    register(f"bitsandbytes.optim.LAMB{_bits}", _ADAM.replace("betas", "bias_correction=True, betas") + ", weight_decay=0", VERSION)
    register(f"bitsandbytes.optim.RMSprop{_bits}", "params, lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0, momentum=0, centered=False", VERSION)
    register(f"bitsandbytes.optim.Adagrad{_bits}", "params, lr=0.01, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10", VERSION)


def canonical(name: str) -> str:
    """bitsandbytes.optim.adamw.AdamW8bit -> bitsandbytes.optim.AdamW8bit"""
    last = name.rpartition(".")[2]
    return f"bitsandbytes.optim.{last}" if name.startswith("bitsandbytes.optim.") and last[:1].isupper() else name


table.RENAMES["bitsandbytes"] = canonical
