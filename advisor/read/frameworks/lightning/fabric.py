"""Fabric: the loop is the user's; what is set up stays what it is, backward and clipping go through the fabric."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Flow
from advisor.model.source import ABSENT, Known, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Instance, Opaque, Tensor, Value, Weights, sequence

VERSION = "Lightning 2.6"
REGIONS = ("autocast", "no_backward_sync", "init_module", "init_tensor", "sharded_model", "rank_zero_first")
table.CLASS_ROLES["lightning.Fabric"] = "fabric"


@table.function("lightning.Fabric")
def fabric(call: LibraryCall) -> Value:
    """Fabric(accelerator=..., devices=..., strategy=..., precision=...): loaders are sharded, gradients unscaled by itself."""
    settings = call.settings({"accelerator": "auto", "strategy": "auto", "devices": "auto", "num_nodes": 1, "precision": None}, version=VERSION)
    recipe = call.reader.recipe
    recipe.owner_silences |= frozenset({"shard", "unscale"})
    if value_of(settings["precision"]) is not None:
        recipe.precision = settings["precision"]
    recipe.distributed.setdefault("owner", Known("fabric"))
    return call.reader.instance("lightning.Fabric", role="fabric", node=call.node, data={"settings": settings})


@table.method("fabric", "launch")
def launch(call: LibraryCall) -> Value:
    """fabric.launch(main, ...) calls main(fabric, ...) in every process."""
    given = call.arguments.positional
    if not given:
        return NONE
    return call.reader.call(given[0], Arguments([call.this, *given[1:]], call.arguments.keywords, call.arguments.exact), call.node)


@table.method("fabric", "setup", "setup_optimizers", "setup_dataloaders", "setup_module")
def setup(call: LibraryCall) -> Value:
    """Everything comes back as what it was."""
    scheduler = call.arguments.keywords.get("scheduler")
    module = call.arguments.keywords.get("module")
    items = [*([module] if module is not None else []), *call.arguments.positional, *([scheduler] if scheduler is not None else [])]
    if not items:
        return Opaque("what the fabric gives")
    return items[0] if len(items) == 1 and call.arguments.exact else sequence(items, "tuple", call.arguments.exact)


@table.method("fabric", "all_gather", "all_reduce", "broadcast", "to_device")
def same(call: LibraryCall) -> Value:
    """The argument itself."""
    if not call.name.endswith("to_device"):
        call.reader.recipe.distributed.setdefault("shares_numbers", Known(True))
    given = call.arguments.positional
    return given[-1] if given else Opaque("what the fabric gives")


@table.method("fabric", "backward")
def backward(call: LibraryCall) -> Value:
    """fabric.backward(loss): scaled when needed."""
    loss = call.get("tensor", 0)
    flow = loss.flow if isinstance(loss, (Tensor, Opaque)) and loss.flow is not None else Flow()
    call.reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT, owner="fabric")
    return NONE


@table.method("fabric", "clip_gradients")
def clip(call: LibraryCall) -> Value:
    """fabric.clip_gradients(model, optimizer, max_norm=1.0): after unscaling by itself."""
    reader, module = call.reader, call.get("module", 0)
    table.load("torch")
    weights = reader.call(reader.attribute(module, "parameters", call.node), Arguments(), call.node) if isinstance(module, Instance) else None
    by_value = call.get("clip_val", 2) is not None
    value = call.setting("clip_val", 2) if by_value else call.setting("max_norm", 3)
    parameters = weights.parameters if isinstance(weights, Weights) else None
    fact = Clip(call.place, kind="value" if by_value else "norm", value=value, parameters=parameters)
    reader.emit(Kind.CLIP, call.node, reader.record(fact), unscales=True)
    return Tensor(Flow(graph="cut"))


@table.method("fabric", "seed_everything")
def seed_everything(call: LibraryCall) -> Value | None:
    """Seeds torch, numpy and python at once."""
    seeder = table.FUNCTIONS["lightning.seed_everything"]
    return seeder(call)


@table.method("fabric", *REGIONS)
def context(call: LibraryCall) -> Value:
    """Context managers of the fabric."""
    return call.reader.instance(f"fabric.{call.name.rpartition('.')[2]}", role="context", node=call.node)


@table.enter(*(f"fabric.{name}" for name in REGIONS))
def entered(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """Regions that change nothing the rules ask about."""
    return Entered()


@table.method("fabric", "print", "log", "log_dict", "barrier", "call", "save", "load", "load_raw")
def housekeeping(call: LibraryCall) -> Value:
    """Nothing of these touches the loop; a checkpoint is written by one process, for which the others wait."""
    if call.name.endswith((".barrier", ".save")):
        call.reader.emit(Kind.COLLECTIVE, call.node, what=f"{call.name.rpartition('.')[2]}() of Fabric")
    return Opaque("what the fabric gives")


@table.attribute("fabric", "device", "global_rank", "local_rank", "node_rank", "is_global_zero", "logger", "loggers", "strategy")
def state(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("a state of the fabric")


@table.attribute("fabric", "world_size")
def processes(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("the number of processes", "int", low=1, replicas=1)
