"""ignite.distributed: everything comes back as what it was, adapted to the processes there are."""

from __future__ import annotations

import ast

from advisor.model.recipe import Module
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Mapping, Opaque, Sequence, Value, members

RANK = Opaque("the rank of the process", "int", low=0)


@table.function("ignite.distributed.auto_model")
def auto_model(call: LibraryCall) -> Value:
    """auto_model(model): DistributedDataParallel where there are several processes."""
    model = call.get("model", 0) or Opaque("a model")
    for member in members(model):
        fact = member.fact if isinstance(member, Instance) else None
        if isinstance(fact, Module) and "process_group" in call.reader.recipe.distributed and "DistributedDataParallel" not in fact.wrapped:
            fact.wrapped = (*fact.wrapped, "DistributedDataParallel")
            call.reader.recipe.distributed.setdefault("ddp", Known(True, weak=True, place=call.place))
    return model


@table.function("ignite.distributed.auto_optim")
def auto_optim(call: LibraryCall) -> Value:
    """auto_optim(optimizer)"""
    return call.get("optimizer", 0) or Opaque("an optimizer")


@table.function("ignite.distributed.auto_dataloader")
def auto_dataloader(call: LibraryCall) -> Value:
    """auto_dataloader(dataset, **kwargs): a DataLoader, with a sampler that shares the data out."""
    call.reader.recipe.owner_silences |= {"shard"}
    return call.reader.call(Library("torch.utils.data.DataLoader"), call.arguments, call.node)


@table.function("ignite.Parallel", "ignite.distributed.Parallel")
def parallel(call: LibraryCall) -> Value:
    """Parallel(backend=..., nproc_per_node=...)"""
    _grouped(call)
    return call.reader.instance("ignite.Parallel", role="ignite-parallel", node=call.node)


def _grouped(call: LibraryCall) -> None:
    backend = call.get("backend", 0)
    if isinstance(backend, Constant) and isinstance(backend.value, str):
        call.reader.recipe.distributed.setdefault("process_group", Known(True, weak=backend.weak, place=call.place))


@table.enter("ignite-parallel")
def enter(reader: Reader, instance: Instance, node: ast.AST) -> Entered:
    """with idist.Parallel(...) as parallel:"""
    return Entered(value=instance)


@table.method("ignite-parallel", "run")
def run(call: LibraryCall) -> Value:
    """parallel.run(function, *args): function(local_rank, *args) in every process."""
    function = call.get("func", 0) or Opaque("the function that is run")
    named = {key: value for key, value in call.arguments.keywords.items() if key != "func"}
    call.reader.call(function, Arguments([RANK, *call.arguments.positional[1:]], named, call.arguments.exact), call.node)
    return NONE


@table.function("ignite.distributed.spawn")
def spawn(call: LibraryCall) -> Value:
    """spawn(backend, fn, args, kwargs_dict)"""
    _grouped(call)
    given, named = call.get("args", 2), call.get("kwargs_dict", 3)
    positional = list(given.items) if isinstance(given, Sequence) else []
    keywords = {str(key): value for key, value in named.items.items()} if isinstance(named, Mapping) else {}
    call.reader.call(call.get("fn", 1) or Opaque("the function that is run"), Arguments([RANK, *positional], keywords), call.node)
    return NONE


@table.function("ignite.distributed.get_rank", "ignite.distributed.get_local_rank", "ignite.distributed.get_node_rank")
def rank(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return RANK


@table.function("ignite.distributed.get_world_size", "ignite.distributed.get_nproc_per_node", "ignite.distributed.get_nnodes")
def world_size(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque("the number of processes", "int", low=1, replicas=1)


@table.function("ignite.distributed.all_reduce", "ignite.distributed.all_gather", "ignite.distributed.broadcast")
def gathered(call: LibraryCall) -> Value:
    """The same thing of all processes."""
    return call.get("tensor", 0) or Opaque("a tensor")


@table.decorator("ignite.distributed.one_rank_only")
def one_rank_only(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@one_rank_only(): for one process."""
    return value
