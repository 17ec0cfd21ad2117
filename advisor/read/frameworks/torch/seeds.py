"""Seeds, generators, backend switches and torch.distributed."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Opaque, Value, setting


def clock(value: Value | None) -> bool:
    """True when a seed is taken from the clock."""
    return isinstance(value, Opaque) and value.why == "the clock"


@table.function("torch.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "torch.mps.manual_seed", "torch.xpu.manual_seed_all")
def manual_seed(call: LibraryCall) -> Value:
    """torch.manual_seed seeds every device; the others one."""
    value = call.get("seed", 0)
    fact = Seed(call.place, library="torch" if call.name == "torch.manual_seed" else "cuda", value=setting(value), from_clock=clock(value))
    call.reader.emit(Kind.SEED, call.node, call.reader.record(fact))
    return call.reader.instance("torch.Generator", role="generator", node=call.node)


@table.function("torch.Generator")
def generator(call: LibraryCall) -> Value:
    """A generator of one's own."""
    return call.reader.instance("torch.Generator", role="generator", node=call.node)


@table.method("generator", "manual_seed", "seed", "set_state", "get_state", "initial_seed")
def generator_seed(call: LibraryCall) -> Value:
    """generator.manual_seed(seed) gives the generator back."""
    if call.name.endswith("manual_seed"):
        value = call.get("seed", 0)
        call.reader.store.write(call.this.attributes, "seed", value if value is not None else Opaque())
    return call.this


@table.function("torch.seed", "torch.initial_seed", "torch.random.initial_seed")
def initial_seed(call: LibraryCall) -> Value:
    """A seed that torch chose or has."""
    return Opaque("torch's own seed", "int")


@table.function("torch.use_deterministic_algorithms")
def deterministic(call: LibraryCall) -> Value:
    """Deterministic algorithms on or off."""
    call.reader.recipe.backend["deterministic_algorithms"] = call.setting("mode", 0)
    return NONE


def _flag(name: str) -> Any:
    def write(reader: Reader, owner: Any, value: Value, node: ast.AST) -> None:
        found = setting(value)
        if isinstance(found, Known):
            found = Known(
                found.value, found.origin, found.default, found.weak or any(label != "default" for _, label in reader.conditions), reader.place(node)
            )
        reader.recipe.backend[name] = found

    return write


for _name in ("benchmark", "deterministic", "enabled"):
    table.WRITES["torch.backends.cudnn", _name] = _flag(f"cudnn.{_name}")

# --- distributed -------------------------------------------------------------------------------------------------


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
