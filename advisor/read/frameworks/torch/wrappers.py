"""Wrappers and copies of modules: what keeps a model's identity, and what makes new weights."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from advisor.model.recipe import Module
from advisor.model.record import replace
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.weights import uncertain
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Instance, Mapping, Opaque, Sequence, Union, Value, members, sequence

WRAPPERS = {
    "torch.nn.DataParallel": "DataParallel",
    "torch.nn.parallel.DistributedDataParallel": "DDP",
    "torch.distributed.fsdp.FullyShardedDataParallel": "FSDP",
    "torch.distributed.fsdp.fully_shard": "FSDP",
    "torch.distributed._composable.fsdp.fully_shard": "FSDP",
    "torch.compile": "compile",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm": "SyncBatchNorm",
    "torch.jit.script": "script",
    "torch.jit.trace": "script",
    "torch.nn.utils.parametrizations.weight_norm": "weight_norm",
    "torch.nn.utils.weight_norm": "weight_norm",
    "torch.nn.utils.remove_weight_norm": "",
    "torch.nn.utils.spectral_norm": "spectral_norm",
    "torch.nn.utils.parametrizations.spectral_norm": "spectral_norm",
    "torch.nn.utils.remove_spectral_norm": "",
    "torch.nn.utils.parametrizations.orthogonal": "orthogonal",
    "torch.nn.utils.prune.identity": "",
    "torch.nn.utils.prune.random_unstructured": "",
    "torch.nn.utils.prune.l1_unstructured": "",
    "torch.nn.utils.prune.random_structured": "",
    "torch.nn.utils.prune.ln_structured": "",
    "torch.nn.utils.prune.custom_from_mask": "",
    "torch.nn.utils.prune.remove": "",
}
ALWAYS = "ddp"


@table.function(*WRAPPERS)
def wrap(call: LibraryCall) -> Value:
    """A wrapper keeps the module's identity and its weights."""
    value = call.get("module", 0) or call.get("model", 0) or call.get("obj", 0) or call.get("func", 0)
    if value is None:
        return Opaque(f"what {call.name} decorates")
    name = WRAPPERS[call.name]
    call.reader.recipe.compiled |= name == "compile"
    for member in members(value):
        if name and isinstance(member, Instance) and isinstance(member.fact, Module) and name not in member.fact.wrapped:
            member.fact.wrapped = (*member.fact.wrapped, name)
            member.fact.hands_round |= name == "DDP" and call.arguments.exact and call.get("broadcast_buffers") is None
    if name in ("DDP", "FSDP"):
        held = call.reader.recipe.distributed
        weak = uncertain(call.reader)
        if name == "DDP" and (ALWAYS not in held or not weak):
            held[ALWAYS] = Known(True, weak=weak, place=call.place)
        elif name == "FSDP":
            held.setdefault("fsdp", Known(True, weak=weak, place=call.place))
    return value


@table.decorator("torch.compile")
def compiled(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """What it decorates, compiled."""
    reader.recipe.compiled = True
    return value


@table.decorator("torch.jit.script", "torch.jit.ignore", "torch.jit.export", "torch.compiler.disable", "torch.jit.unused")
def keep(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """Decorators that change speed, not meaning."""
    return value


@table.attribute("module", "module", "_orig_mod")
def unwrapped(reader: Reader, instance: Instance) -> Value | None:
    """ddp.module is the model itself (a wrapper keeps the identity)."""
    fact = instance.fact
    return instance if isinstance(fact, Module) and fact.wrapped else None


@table.method("module", "no_sync", "join", "summon_full_params")
def no_sync(call: LibraryCall) -> Value:
    """ddp.no_sync()"""
    return call.reader.instance("torch.no_sync", role="context", node=call.node)


@table.enter("torch.no_sync")
def enter_no_sync(reader: Reader, instance: Any, node: ast.AST) -> Any:
    """with ddp.no_sync():"""
    return table.Entered("no_sync")


# --- copies ------------------------------------------------------------------------------------------------------


def copied(reader: Reader, value: Instance, node: ast.AST) -> Instance:
    """copy.deepcopy(model): new weights that remember whose copy they are."""
    return _copy(reader, value, node, {}, {})


def _copy(reader: Reader, value: Instance, node: ast.AST, facts: dict[Module, Module], made: dict[int, Instance]) -> Instance:
    """The object with its parts: what is a module below is copied too, each once."""
    if id(value) in made:
        return made[id(value)]
    if not isinstance(value.fact, Module):
        return reader.instance(value.kind, role=value.role, fact=value.fact, cls=value.cls, attributes=dict(value.attributes), data=dict(value.data))
    fact = _copy_fact(reader, value.fact, node, facts)
    copy = reader.instance(value.kind, role="module", fact=fact, cls=value.cls, attributes=dict(value.attributes), data=dict(value.data), node=node)
    made[id(value)] = copy

    for home in (copy.attributes, copy.data):
        for name, held in home.items():
            home[name] = _copy_part(reader, held, node, facts, made)
    return copy


def _copy_part(reader: Reader, held: Any, node: ast.AST, facts: dict[Module, Module], made: dict[int, Instance]) -> Any:
    def copied(items: Iterable[Any]) -> Iterator[Any]:
        return (_copy_part(reader, item, node, facts, made) for item in items)

    if isinstance(held, Instance) and held.role == "module":
        return _copy(reader, held, node, facts, made)
    if isinstance(held, Union):
        return replace(held, members=tuple(copied(held.members)))
    if isinstance(held, tuple):
        return tuple(copied(held))
    if isinstance(held, dict):
        return dict(zip(held, copied(held.values())))
    if isinstance(held, Sequence) and any(isinstance(item, Instance) for item in held.items):
        return Sequence(held.kind, {**held.state, "items": tuple(copied(held.items))})
    if isinstance(held, Mapping) and any(isinstance(item, Instance) for item in held.items.values()):
        return Mapping({**held.state, "items": dict(zip(held.items, copied(held.items.values())))}, held.place)
    return held


def _copy_fact(reader: Reader, fact: Module, node: ast.AST, facts: dict[Module, Module]) -> Module:
    copy = facts.get(fact)
    if copy is None:
        copy = facts[fact] = replace(fact, place=reader.place(node), copy_of=fact, children={}, same_as=None)
        reader.record(copy)
        copy.children.update((name, _copy_fact(reader, child, node, facts)) for name, child in fact.children.items())
    return copy


table.TENSORS["copied"] = copied


@table.function("torch.nn.parallel.replicate", "torch.nn.parallel.scatter")
def replicate(call: LibraryCall) -> Value | None:
    """replicate(model, devices), scatter(batch, devices): as many of them as there are devices."""
    held = call.get("network" if call.name.endswith("replicate") else "inputs", 0)
    return sequence([held], "list", exact=False) if held is not None else None


@table.function("torch.nn.parallel.parallel_apply")
def parallel_apply(call: LibraryCall) -> Value | None:
    """parallel_apply(replicas, batches): each replica on its batch, given one by one where it is a tuple."""
    models, inputs = (_one(call.get(name, place)) for place, name in enumerate(("modules", "inputs")))
    if not isinstance(models, Instance) or inputs is None:
        return None
    given = list(inputs.items) if isinstance(inputs, Sequence) and inputs.exact else [inputs]
    return sequence([call.reader.call(models, Arguments(given), call.node)], "list", exact=False)


@table.function("torch.nn.parallel.gather")
def gather(call: LibraryCall) -> Value | None:
    """gather(outputs, device): one tensor of all."""
    return _one(call.get("outputs", 0))


def _one(value: Value | None) -> Value | None:
    """What a list of things for several devices has on each."""
    return value.items[0] if isinstance(value, Sequence) and value.items else value
