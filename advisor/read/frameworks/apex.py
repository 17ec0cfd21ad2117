"""apex: fused optimizers, and its old mixed precision and parallel wrappers."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.recipe import Optimizer
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.torch.optim import register
from advisor.read.frameworks.torch.parameters import together
from advisor.read.frameworks.torch.wrappers import WRAPPERS, wrap
from advisor.read.python.reader import Reader
from advisor.read.python.values import Instance, Opaque, Value, Weights, members, sequence

VERSION = table.VERSIONS["apex"] = "apex"
_BEGIN = "params, lr=0.001, bias_correction=True, betas=(0.9, 0.999)"
OPTIMIZERS = {
    "FusedAdam": f"{_BEGIN}, eps=1e-08, adam_w_mode=True, weight_decay=0.0, amsgrad=False, set_grad_none=True",
    "FusedLAMB": (
        f"{_BEGIN}, eps=1e-06, weight_decay=0.01, amsgrad=False, adam_w_mode=True, grad_averaging=True, set_grad_none=True, max_grad_norm=1.0"
    ),
    "FusedSGD": "params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False",
    "FusedNovoGrad": f"{_BEGIN}, eps=1e-08, weight_decay=0.0",
}
for _name, _text in OPTIMIZERS.items():
    register(f"apex.optimizers.{_name}", _text, VERSION)
for _name, _short in (("apex.parallel.DistributedDataParallel", "DDP"), ("apex.parallel.convert_syncbn_model", "SyncBatchNorm")):
    WRAPPERS[_name] = _short
    table.FUNCTIONS[_name] = wrap


@table.function("apex.amp.initialize")
def initialize(call: LibraryCall) -> Value:
    """model, optimizer = amp.initialize(model, optimizer, opt_level="O1"): the same objects."""
    models, optimizers = call.get("models", 0), call.get("optimizers", 1)
    if models is None:
        return Opaque("what amp.initialize gives")
    return sequence([models, optimizers], "tuple") if optimizers is not None else models


@table.function("apex.amp.scale_loss")
def scale_loss(call: LibraryCall) -> Value:
    """with amp.scale_loss(loss, optimizer) as scaled: it unscales by itself at the end."""
    return call.reader.instance("apex.amp.scale_loss", node=call.node, data={"loss": call.get("loss", 0)})


@table.enter("apex.amp.scale_loss")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """The scaled loss."""
    return Entered(value=instance.data["loss"] or Opaque("a scaled loss", "tensor"))


@table.function("apex.amp.master_params")
def master(call: LibraryCall) -> Value:
    """The weights that the optimizer really steps, in full precision: those of its modules."""
    for member in members(call.get("optimizer", 0) or Opaque()):
        if isinstance(member, Instance) and isinstance(member.fact, Optimizer):
            return Weights(together([group.parameters for group in member.fact.groups]))
    return Opaque("the weights of an optimizer")
