"""Optimizers of Transformers itself, and what the names stand for that its training arguments take."""

from __future__ import annotations

from advisor.model.source import Known, OneOf, Option, Setting
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


_UNLIKE_ADAM = ("sgd", "adagrad", "rmsprop", "adafactor", "lomo", "adalomo", "galore_adafactor", "schedule_free_sgd")  # how their names begin


def handed_to(name: str) -> tuple[str, ...]:
    """Which of the arguments that are named after Adam an optimizer of this name is given."""
    if name.startswith(_UNLIKE_ADAM):
        return ()
    return ("betas",) if "lion" in name else ("betas", "eps")


def kind_of(name: object) -> str:
    """The class of an optimizer that is named in training arguments; the name itself where it is none of the usual ones."""
    return CLASSES.get(str(name), f"transformers.{name}")


TORCH_NAMED, FUSED = (4, 32), (4, 54)  # since when Transformers takes torch's AdamW, and its fused form where torch has a stable one
TORCH_FUSED = (2, 8)


def default_of(transformers: tuple[int, ...] | None, torch: tuple[int, ...] | None) -> Setting:
    """The optimizer of training arguments that name none, for the versions that the project pins; both where it leaves open which."""
    said = VERSION if transformers is None else f"Transformers {'.'.join(map(str, transformers[:2]))}"
    if transformers is not None and transformers < TORCH_NAMED:
        return Known("adamw_hf", default=said)
    plain, fused = Known("adamw_torch", default=said), Known("adamw_torch_fused", default=said)
    if (transformers is not None and transformers < FUSED) or (torch is not None and torch < TORCH_FUSED):
        return plain
    if transformers is not None and torch is not None:
        return fused
    return OneOf((Option(fused, "Transformers 4.54 and torch 2.8, or newer"), Option(plain, "older")))
