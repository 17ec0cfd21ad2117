"""torchtext's iterators (up to 0.8, then below torchtext.legacy): loaders that shuffle what they train on unless they are told otherwise."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Loader
from advisor.model.source import Known, Setting, Unknown, is_absent
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.datasets import dataset_of
from advisor.read.python.values import Value, sequence

ROOMS = ("torchtext.data", "torchtext.legacy.data")
SHUFFLING = [f"{room}.{name}" for room in ROOMS for name in ("Iterator", "BucketIterator")]
IN_ORDER = [f"{room}.BPTTIterator" for room in ROOMS]  # one long text, read from its beginning


def _loader(call: LibraryCall, data: Value | None, batch_size: Setting, shuffle: Setting, trains: Setting) -> Value:
    unsaid = is_absent(shuffle) or (isinstance(shuffle, Known) and shuffle.value is None)
    fact = Loader(call.place, kind=call.name.removesuffix(".splits"))
    fact.settings = {"batch_size": batch_size, "shuffle": trains if unsaid else shuffle, "drop_last": Known(False)}
    if fact.kind in IN_ORDER:
        fact.settings["shuffle"] = Unknown("it reads one long text")
    fact.dataset = dataset_of(call.reader, data)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance("torch.utils.data.DataLoader", role="loader", fact=fact, node=call.node)


@table.function(*SHUFFLING, *IN_ORDER)
def iterator(call: LibraryCall) -> Value:
    """BucketIterator(dataset, batch_size, sort_key, device, batch_size_fn, train=True, repeat=False, shuffle=None)"""
    shuffle, trains = call.setting("shuffle", 7, None), call.setting("train", 5, True)
    return _loader(call, call.get("dataset", 0), call.setting("batch_size", 1), shuffle, trains)


@table.function(*(f"{name}.splits" for name in (*SHUFFLING, *IN_ORDER)))
def splits(call: LibraryCall) -> Value | None:
    """BucketIterator.splits((train, valid, test), batch_size=32): one for each, the first of which trains."""
    parts = call.get("datasets", 0)
    items = call.reader.items(parts) if parts is not None else None
    if items is None:
        return None
    sizes, order = call.get("batch_sizes", 1), call.setting("shuffle")
    each = Unknown("each iterator has a batch size of its own") if sizes is not None else call.setting("batch_size")
    return sequence([_loader(call, data, each, order, Known(place == 0)) for place, data in enumerate(items)], "tuple")
