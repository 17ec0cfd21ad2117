"""Accelerate: prepare keeps identities, backward and clipping go through the accelerator, accumulate opens a window."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Flow, Module, OpenTracker, Scheduler, Seed
from advisor.model.source import ABSENT, Known, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.frameworks.torch.flows import flow_of
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Instance, Opaque, Tensor, Value, Weights, members, sequence, setting

VERSION = "Accelerate 1.10"
table.VERSIONS["accelerate"] = VERSION
table.CLASS_ROLES["accelerate.Accelerator"] = "accelerator"


def canonical(name: str) -> str:
    """accelerate.utils.set_seed -> accelerate.set_seed; classes are flat."""
    last = name.rpartition(".")[2]
    return f"accelerate.{last}" if last[:1].isupper() or last == "set_seed" else name


table.RENAMES["accelerate"] = canonical


@table.function("accelerate.set_seed")
def set_seed(call: LibraryCall) -> Value:
    """Seeds torch, numpy and python at once."""
    value = call.get("seed", 0)
    fact = Seed(call.place, generators="framework", value=setting(value) if value is not None else ABSENT)
    call.reader.emit(Kind.SEED, call.node, call.reader.record(fact))
    return NONE


@table.function("accelerate.Accelerator")
def accelerator(call: LibraryCall) -> Value:
    """Accelerator(gradient_accumulation_steps=..., mixed_precision=...)"""
    settings = call.settings(
        {"device_placement": True, "split_batches": False, "mixed_precision": None, "gradient_accumulation_steps": 1}, version=VERSION
    )
    recipe = call.reader.recipe
    recipe.owner_silences |= frozenset({"shard", "unscale"})
    steps = settings["gradient_accumulation_steps"]
    if value_of(steps) != 1:
        recipe.accumulation = steps
    precision = settings["mixed_precision"]
    if not isinstance(precision, Known) or precision.value is not None:
        recipe.precision = precision
    recipe.distributed.setdefault("owner", Known("accelerate"))
    mute = not call.reader.conditions and call.arguments.exact and not call.arguments.positional and call.get("log_with") is None
    mute = mute and not _spells(call, "log_with")
    told = any(call.get(name) is not None for name in ("split_batches", "step_scheduler_with_optimizer", "dataloader_config", "deepspeed_plugin"))
    each = call.arguments.exact and len(call.arguments.positional) < 2 and not told
    return call.reader.instance("accelerate.Accelerator", role="accelerator", node=call.node, data={"settings": settings, "mute": mute, "each": each})


def _spells(call: LibraryCall, word: str) -> bool:
    """True where the lines of a call have a word, if only in a comment: the program knows of it."""
    node, lines = call.node, call.reader.frame.module.lines
    if not isinstance(node, ast.Call):
        return True
    return any(word in line for line in lines[node.lineno - 1 : node.end_lineno])


def _note_prepared(call: LibraryCall, given: Iterable[Value]) -> None:
    for member in (member for value in given for member in members(value)):
        if isinstance(member, Instance) and isinstance(member.fact, Scheduler):
            member.fact.waits, member.fact.each_process = True, call.this.data.get("each") is True
        elif isinstance(member, Instance) and isinstance(member.fact, Module) and member.role == "module":
            member.fact.prepared = member.fact.prepared or call.place
            member.fact.hands_round |= all("broadcast_buffers" not in module.text for module in call.reader.modules.values())


@table.method("accelerator", "prepare")
def prepare(call: LibraryCall) -> Value:
    """Everything comes back as what it was."""
    items = call.arguments.positional
    _note_prepared(call, items)
    return items[0] if len(items) == 1 and call.arguments.exact else sequence(items, "tuple", call.arguments.exact)


@table.method(
    "accelerator",
    "prepare_model",
    "prepare_data_loader",
    "prepare_optimizer",
    "prepare_scheduler",
    "unwrap_model",
    "gather",
    "gather_for_metrics",
    "reduce",
    "pad_across_processes",
)
def same(call: LibraryCall) -> Value:
    """The argument itself."""
    if call.name.endswith(("gather", "gather_for_metrics", "reduce", "pad_across_processes")):
        call.reader.emit(Kind.COLLECTIVE, call.node, what=f"{call.name.rpartition('.')[2]}()")
        call.reader.recipe.distributed.setdefault("shares_numbers", Known(True))
    elif call.name.endswith(("prepare_scheduler", "prepare_model")):
        _note_prepared(call, call.arguments.positional)
    return call.arguments.positional[0] if call.arguments.positional else Opaque("what the accelerator gives")


@table.method("accelerator", "backward")
def backward(call: LibraryCall) -> Value:
    """accelerator.backward(loss): divided by the accumulation steps, scaled when needed."""
    flow = flow_of(call.get("loss", 0)) or Flow()
    call.reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT, owner="accelerate")
    return NONE


@table.method("accelerator", "clip_grad_norm_", "clip_grad_value_")
def clip(call: LibraryCall) -> Value:
    """Clips after unscaling by itself."""
    weights = call.get("parameters", 0)
    by_value = call.name.endswith("value_")
    table.load("torch")
    parameters = weights.parameters if isinstance(weights, Weights) else None
    describe = table.TENSORS.get("parameters")
    if parameters is None and describe is not None:
        parameters = describe(call.reader, weights, call.node)  # type: ignore[assignment]
    elif isinstance(weights, Weights) and weights.state.get("consumed") is not None and parameters is not None:
        from advisor.model.record import replace

        parameters = replace(parameters, consumed_by=weights.state["consumed"])
    fact = Clip(
        call.place, kind="value" if by_value else "norm", value=call.setting("clip_value" if by_value else "max_norm", 1), parameters=parameters
    )
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(fact), unscales=True)
    return Tensor(Flow(graph="cut"))


@table.enter("accelerator.accumulate")
def accumulate(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with accelerator.accumulate(model): steps and clearing happen only at the window's end."""
    return Entered("accumulate", {"steps": reader.recipe.accumulation})


@table.method("accelerator", "accumulate", "no_sync", "autocast", "profile", "main_process_first", "local_main_process_first", "join_uneven_inputs")
def context(call: LibraryCall) -> Value:
    """Context managers of the accelerator."""
    name = call.name.rpartition(".")[2]
    return call.reader.instance(f"accelerator.{name}", role="context", node=call.node)


@table.enter(
    "accelerator.autocast",
    "accelerator.no_sync",
    "accelerator.profile",
    "accelerator.main_process_first",
    "accelerator.local_main_process_first",
    "accelerator.join_uneven_inputs",
)
def plain_context(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """Regions that change nothing the rules ask about."""
    return Entered()


@table.method(
    "accelerator",
    "print",
    "log",
    "init_trackers",
    "end_training",
    "wait_for_everyone",
    "save_state",
    "load_state",
    "register_for_checkpointing",
    "save_model",
    "save",
    "free_memory",
    "skip_first_batches",
    "get_state_dict",
    "clear",
    "set_trigger",
    "check_trigger",
    "register_save_state_pre_hook",
    "register_load_state_pre_hook",
    "unscale_gradients",
    "get_tracker",
    "trackers",
)
def housekeeping(call: LibraryCall) -> Value:
    """Nothing of these touches the loop; skip_first_batches gives the loader back."""
    if call.name.endswith((".init_trackers", ".log")):
        _note_tracked(call)
    if call.name.endswith("wait_for_everyone"):
        call.reader.emit(Kind.COLLECTIVE, call.node, what="wait_for_everyone()")
    if call.name.endswith("skip_first_batches") and call.arguments.positional:
        return call.arguments.positional[0]
    return Opaque("what the accelerator gives")


def _note_tracked(call: LibraryCall) -> None:
    """Notes that something is to be written down by an accelerator that was told of no tracker."""
    this, store = call.this, call.reader.store
    if call.name.endswith(".init_trackers"):
        store.write(this.data, "tracked", True)
    elif this.data.get("mute") and this.data.get("tracked"):
        store.write(this.data, "mute", False)
        call.reader.record(OpenTracker(this.place or call.place, taker="Accelerator"))


@table.attribute(
    "accelerator",
    "sync_gradients",
    "device",
    "optimizer_step_was_skipped",
    "process_index",
    "gradient_accumulation_steps",
    "mixed_precision",
    "state",
)
def state(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("a state of the accelerator")


@table.attribute("accelerator", "is_main_process", "is_local_main_process")
def main(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs; who asks means to run in several processes."""
    reader.recipe.distributed.setdefault("asks_for_main", Known(True))
    return Opaque("a state of the accelerator")


@table.attribute("accelerator", "num_processes")
def processes(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("the number of processes", "int", low=1, replicas=1)
