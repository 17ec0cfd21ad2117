"""torch.distributed, and calls that touch no weights: devices, backends, profilers."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flow_of
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Opaque, Sequence, Tensor, Value

@table.function("torch.distributed.init_process_group")
def init_process_group(call: LibraryCall) -> Value:
    """The program runs on several ranks (perhaps behind a flag)."""
    weak = any(label != "default" for _, label in call.reader.conditions)
    call.reader.recipe.distributed.setdefault("process_group", Known(True, weak=weak, place=call.place))
    return NONE


@table.function(
    "torch.distributed.get_rank",
    "torch.distributed.get_world_size",
    "torch.distributed.get_local_rank",
    "torch.cuda.device_count",
    "torch.cuda.current_device",
)
def rank(call: LibraryCall) -> Value:
    """Known only when it runs."""
    what = {"get_rank": "the rank", "get_world_size": "the world size"}.get(call.name.rpartition(".")[2], "the number of devices")
    return Opaque(what, "int")


@table.function(
    "torch.distributed.is_initialized",
    "torch.distributed.is_available",
    "torch.cuda.is_available",
    "torch.cuda.is_bf16_supported",
    "torch.backends.mps.is_available",
    "torch.xpu.is_available",
)
def available(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque(f"`{call.name.rpartition('.')[2]}`", "bool")


@table.prefix(
    "torch.distributed",
    "torch.cuda",
    "torch.backends",
    "torch.multiprocessing",
    "torch.profiler",
    "torch.utils.tensorboard",
    "torch.set_default_dtype",
    "torch.set_num_threads",
    "torch._dynamo",
    "torch.hub",
    "torch.version",
)
def housekeeping(call: LibraryCall) -> Value | None:
    """Calls that touch no weights, unless an object is handed over."""
    if call.name == "torch.multiprocessing.spawn":
        return spawn(call)
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    if call.reader.tracked(given):
        return None
    return call.reader.instance(call.name, node=call.node) if call.name.rpartition(".")[2][:1].isupper() else Opaque(f"result of `{call.name}`")


@table.function("torch.multiprocessing.spawn")
def spawn(call: LibraryCall) -> Value:
    """mp.spawn(worker, args=(...)): the worker gets its rank first."""
    from advisor.read.python.values import Arguments, Sequence

    worker, given = call.get("fn", 0), call.get("args", 1)
    items = list(given.items) if isinstance(given, Sequence) else []
    call.reader.recipe.distributed.setdefault("process_group", Known(True, weak=True, place=call.place))
    if worker is not None:
        call.reader.call(worker, Arguments([Opaque("the rank", "int"), *items]), call.node)
    return NONE


@table.function("torch.device")
def device(call: LibraryCall) -> Value:
    """A device by its name."""
    value = call.get("type", 0)
    return value if isinstance(value, Constant) else Opaque("a device")
