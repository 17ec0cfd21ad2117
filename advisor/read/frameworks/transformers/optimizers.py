"""Optimizers of Transformers itself, and what the names stand for that its training arguments take."""

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

CLASSES = {  # TrainingArguments(optim=...)
    "adamw_torch": "torch.optim.AdamW",
    "adamw_torch_fused": "torch.optim.AdamW",
    "adamw_torch_xla": "torch.optim.AdamW",
    "adamw_torch_npu_fused": "torch.optim.AdamW",
    "adamw_apex_fused": "apex.optimizers.FusedAdam",
    "adamw_hf": "transformers.AdamW",
    "adafactor": "transformers.Adafactor",
    "adamw_8bit": "bitsandbytes.optim.AdamW8bit",
    "adamw_bnb_8bit": "bitsandbytes.optim.AdamW8bit",
    "paged_adamw": "bitsandbytes.optim.PagedAdamW",
    "paged_adamw_32bit": "bitsandbytes.optim.PagedAdamW",
    "paged_adamw_8bit": "bitsandbytes.optim.PagedAdamW8bit",
    "lion_32bit": "bitsandbytes.optim.Lion",
    "lion_8bit": "bitsandbytes.optim.Lion8bit",
    "paged_lion_32bit": "bitsandbytes.optim.PagedLion",
    "paged_lion_8bit": "bitsandbytes.optim.PagedLion8bit",
    "sgd": "torch.optim.SGD",
    "adagrad": "torch.optim.Adagrad",
    "rmsprop": "torch.optim.RMSprop",
}


def kind_of(name: object) -> str:
    """The class of an optimizer that is named in training arguments; the name itself where it is none of the usual ones."""
    return CLASSES.get(str(name), f"transformers.{name}")
