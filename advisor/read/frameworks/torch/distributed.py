"""torch.distributed, and calls that touch no weights: devices, backends, profilers."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.weights import uncertain
from advisor.read.python.values import NONE, Constant, Opaque, Value

DEVICES = ("cuda", "xpu", "mps", "npu", "mlu", "musa", "sdaa", "hpu", "neuron", "accelerator", "cpu", "mtia")


@table.function("torch.distributed.init_process_group")
def init_process_group(call: LibraryCall) -> Value:
    """The program runs on several ranks (perhaps behind a flag)."""
    call.reader.recipe.distributed.setdefault("process_group", Known(True, weak=uncertain(call.reader), place=call.place))
    return NONE


@table.function(
    "torch.distributed.get_rank",
    "torch.distributed.get_world_size",
    "torch.distributed.get_local_rank",
    "torch.distributed.get_node_local_rank",
    *(f"torch.{device}.device_count" for device in DEVICES),
    *(f"torch.{device}.current_device" for device in DEVICES),
)
def rank(call: LibraryCall) -> Value:
    """Known only when it runs."""
    what = {"get_rank": "the rank", "get_local_rank": "the rank", "get_node_local_rank": "the rank", "get_world_size": "the world size"}
    name = call.name.rpartition(".")[2]
    return Opaque(what.get(name, "the number of devices"), "int", low=0, replicas=int(name in ("get_world_size", "device_count")))


@table.function(
    *(f"torch.{device}.is_available" for device in DEVICES),
    "torch.distributed.is_initialized",
    "torch.distributed.is_available",
    "torch.distributed.is_nccl_available",
    "torch.distributed.is_torchelastic_launched",
    "torch.cuda.is_bf16_supported",
    "torch.backends.mps.is_available",
    "torch.backends.mps.is_built",
    "torch.backends.cudnn.is_available",
)
def available(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque(f"`{call.name.rpartition('.')[2]}`", "bool")


_WITHOUT_OTHERS = ("destroy_process_group", "set_device", "synchronize", "empty_cache")


@table.function(
    "torch.distributed.all_reduce",
    "torch.distributed.reduce",
    "torch.distributed.broadcast",
    "torch.distributed.all_gather",
    "torch.distributed.all_gather_into_tensor",
    "torch.distributed.all_gather_object",
    "torch.distributed.broadcast_object_list",
    "torch.distributed.gather",
    "torch.distributed.scatter",
    "torch.distributed.reduce_scatter",
    "torch.distributed.barrier",
    "torch.distributed.monitored_barrier",
    "torch.distributed.destroy_process_group",
    "torch.cuda.set_device",
    "torch.cuda.synchronize",
    "torch.cuda.empty_cache",
)
def collective(call: LibraryCall) -> Value:
    """Writes into the tensor given, on every rank; gives nothing."""
    name, group = call.name.rpartition(".")[2], call.get("group")
    if "reduce" in name or "gather" in name or "broadcast" in name:
        call.reader.recipe.distributed.setdefault("shares_numbers", Known(True))
    if name not in _WITHOUT_OTHERS and call.arguments.exact and (group is None or (isinstance(group, Constant) and group.value is None)):
        call.reader.emit(Kind.COLLECTIVE, call.node, what=f"{name}()")
    return NONE


@table.prefix(
    *(f"torch.{device}" for device in DEVICES),
    *("torch.distributed", "torch.backends", "torch.multiprocessing", "torch.profiler", "torch.utils.tensorboard", "torch.autograd.profiler"),
    *("torch._dynamo", "torch._inductor", "torch.hub", "torch.version", "torch.onnx", "torch.serialization", "torch.futures"),
)
@table.function(
    "torch.set_default_dtype",
    "torch.set_float32_matmul_precision",
    "torch.set_num_threads",
    "torch.set_num_interop_threads",
    "torch.set_printoptions",
    "torch.set_flush_denormal",
    "torch.get_default_dtype",
    "torch.get_default_device",
    "torch.set_default_device",
    "torch.set_default_tensor_type",
    "torch.get_num_threads",
)
def housekeeping(call: LibraryCall) -> Value | None:
    """Calls that touch no weights, unless an object is handed over."""
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    if call.reader.tracked(given):
        return None
    name = call.name.rpartition(".")[2]
    return call.reader.instance(call.name, node=call.node) if name[:1].isupper() or name == "profile" else Opaque(f"result of `{call.name}`")


@table.function("torch.onnx.export", "torch.onnx.dynamo_export", "torch.utils.model_zoo.load_url")
def exported(call: LibraryCall) -> Value:
    """Reads a model, or fetches weights."""
    return Opaque(f"result of `{call.name}`")
