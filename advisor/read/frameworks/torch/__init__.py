"""PyTorch: its modules, optimizers, losses, loaders and tensors, with the defaults of torch 2.13."""

from __future__ import annotations

from advisor.read.frameworks import table

VERSION = "torch 2.13"
table.VERSIONS["torch"] = VERSION


def canonical(name: str) -> str:
    """torch.optim.adamw.AdamW -> torch.optim.AdamW; torch.nn.modules.loss.X -> torch.nn.X; torch.cuda.amp -> torch.amp; torch.torch -> torch."""
    while name == "torch.torch" or name.startswith("torch.torch."):
        name = name.removeprefix("torch.")
    for prefix in ("torch.optim.", "torch.nn.modules.", "torch.utils.data.", "torch.distributed.fsdp."):
        if name.startswith(prefix):
            last = name.rpartition(".")[2]
            if prefix == "torch.nn.modules." and last[:1].isupper():
                return f"torch.nn.{last}"
            if prefix == "torch.optim." and last[:1].isupper() and not name.startswith(("torch.optim.lr_scheduler.", "torch.optim.swa_utils.")):
                return f"torch.optim.{last}"
            if prefix == "torch.distributed.fsdp." and last[:1].isupper():
                return f"torch.distributed.fsdp.{last}"
            if prefix == "torch.utils.data." and (last[:1].isupper() or last == "random_split"):
                return f"torch.utils.data.{last}"
    return _MOVED.get(name, name)


_MOVED = {
    "torch.autograd.Variable": "torch.Tensor.variable",
    "torch.random.manual_seed": "torch.manual_seed",
    "torch.nn.utils.clip_grad.clip_grad_norm_": "torch.nn.utils.clip_grad_norm_",
    "torch.nn.utils.clip_grad.clip_grad_value_": "torch.nn.utils.clip_grad_value_",
    "torch.cuda.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "torch.amp.grad_scaler.GradScaler": "torch.amp.GradScaler",
    "torch.autograd.function.Function": "torch.autograd.Function",
    "torch.cuda.amp.GradScaler": "torch.amp.GradScaler",
    "torch.GradScaler": "torch.amp.GradScaler",
    "torch.cuda.amp.autocast_mode.autocast": "torch.cuda.amp.autocast",
    "torch.amp.autocast": "torch.autocast",
    "torch.amp.autocast_mode.autocast": "torch.autocast",
    "torch.autograd.no_grad": "torch.no_grad",
    "torch.autograd.grad_mode.no_grad": "torch.no_grad",
    "torch.autograd.set_grad_enabled": "torch.set_grad_enabled",
    "torch.nn.parallel.data_parallel.DataParallel": "torch.nn.DataParallel",
    "torch.nn.parallel.DataParallel": "torch.nn.DataParallel",
    "torch.nn.parallel.distributed.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel",
    "torch.utils.data.distributed.DistributedSampler": "torch.utils.data.DistributedSampler",
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
}
table.RENAMES["torch"] = canonical

from advisor.read.frameworks.torch import (  # noqa: E402
    amp,
    averages,
    containers,
    counts,
    creation,
    data,
    datasets,
    devices,
    distributed,
    forward,
    functional,
    gradients,
    handing_on,
    initialisation,
    layers,
    losses,
    measures,
    modules,
    operators,
    optim,
    samplers,
    saving,
    schedulers,
    seeds,
    shapes,
    weights,
    wrappers,
)

__all__ = [
    "amp",
    "averages",
    "containers",
    "counts",
    "creation",
    "data",
    "datasets",
    "devices",
    "distributed",
    "forward",
    "functional",
    "gradients",
    "handing_on",
    "initialisation",
    "layers",
    "losses",
    "measures",
    "modules",
    "operators",
    "optim",
    "samplers",
    "saving",
    "schedulers",
    "seeds",
    "shapes",
    "weights",
    "wrappers",
]
