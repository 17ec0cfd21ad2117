"""torch.utils.data: loaders, data sets and random splits."""

from __future__ import annotations

import ast
import re
from typing import Any

from advisor.model.events import Kind
from advisor.model.pattern import pattern
from advisor.model.pipelines import steps
from advisor.model.recipe import Dataset, Flow, Loader, Sampler, Split, UndefinedName
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Passes, Setting, Unknown, number
from advisor.read.frameworks import table
from advisor.read.frameworks.cuts import is_part
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch import axes
from advisor.read.frameworks.torch.datasets import dataset_of, made
from advisor.read.frameworks.torch.padding import padded_parts
from advisor.read.frameworks.torch.samplers import drawn, sampler_facts
from advisor.read.frameworks.torch.workers import repeated
from advisor.read.python import scopes
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Opaque, Sequence, Tensor, Value, sequence, setting

ROOT = "torch.utils.data."
LOADER = (
    "dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None, pin_memory=False, drop_last=False, "
    "timeout=0, worker_init_fn=None, multiprocessing_context=None, generator=None, "
    "*, prefetch_factor=None, persistent_workers=False, pin_memory_device='', in_order=True"
)
MEANT = pattern(r"debug|determinis|overfit|reproduc|sanity|purpose|intention|deliberate|\border\b|already", re.IGNORECASE)
KEPT = ("sampler", "batch_sampler", "batch_size", "collate_fn", "num_workers", "generator")  # arguments that are attributes of a loader
table.CLASS_ROLES[ROOT + "DataLoader"] = "loader"


def _kind_of(value: Value | None) -> Any:
    if isinstance(value, Instance):
        return value.kind if not isinstance(value.fact, Dataset) else None
    if isinstance(value, Sequence):
        return "list"
    if isinstance(value, Tensor):
        return "tensor"
    return None


def fill(call: LibraryCall, fact: Loader) -> None:
    """Settings, data set and samplers of a loader."""
    names = signature(LOADER)
    settings = call.settings(names)
    settings.pop("dataset")
    fact.settings, fact.arguments_at = settings, call.arguments.spread
    fact.order_meant = _order_meant(call)
    fact.padded = padded_parts(call.get("collate_fn", 6))
    data, starts = call.get("dataset", 0), call.get("worker_init_fn", 10)
    if starts is not None:
        fact.repeated = repeated(starts, data)
    fact.dataset = dataset_of(call.reader, data)
    fact.dataset_flow = _kind_of(data)
    fact.unset = data.why if isinstance(data, Opaque) and data.why.startswith("attribute `") else ""
    fact.samplers = (*sampler_facts(call.get("sampler", 3)), *sampler_facts(call.get("batch_sampler", 4)))
    inside = call.get("sampler", 3)  # a BatchSampler given as sampler=: each index is a list of them, and one batch of it comes out
    nested = _is_batch_sampler(inside) and number(settings.get("batch_size")) in (1, None)
    settings.update(_batched_by(inside if nested else call.get("batch_sampler", 4)))
    for key in ("sampler", "batch_sampler"):
        value = call.get(key)
        if isinstance(value, Opaque) and isinstance(settings[key], Unknown):
            settings[key] = Unknown(value.why)


def _order_meant(call: LibraryCall) -> bool:
    """True for `shuffle=False,  # for debugging`."""
    keywords = call.node.keywords if isinstance(call.node, ast.Call) else []
    given = next((keyword.value for keyword in keywords if keyword.arg == "shuffle"), None)
    lines = call.reader.frame.module.lines
    if not isinstance(given, ast.Constant) or given.value is not False or not given.end_lineno or given.end_lineno > len(lines):
        return False
    comment = lines[given.end_lineno - 1].rpartition("#")[2] if "#" in lines[given.end_lineno - 1] else ""
    return MEANT.search(comment) is not None


def _batched_by(value: Value | None) -> dict[str, Setting]:
    """The settings of a loader that its batch sampler decides: those of a BatchSampler, unknown of any other."""
    if value is None or (isinstance(value, Constant) and value.value is None):
        return {}
    unknown = Unknown("a batch sampler makes the batches")
    given = value.fact.settings if isinstance(value, Instance) and isinstance(value.fact, Sampler) and _is_batch_sampler(value) else {}
    return {"batch_size": given.get("batch_size", unknown), "drop_last": given.get("drop_last", unknown)}


def _is_batch_sampler(value: Value | None) -> bool:
    return isinstance(value, Instance) and isinstance(value.fact, Sampler) and value.fact.kind == ROOT + "BatchSampler"


@table.function(ROOT + "DataLoader", "torch_geometric.loader.DataLoader", "torch_geometric.data.DataLoader")
def loader(call: LibraryCall) -> Value:
    """DataLoader(dataset, ...)"""
    fact = Loader(call.place, kind=call.name)
    fill(call, fact)
    if fact.dataset is not None and "transformers" in call.reader.imported:
        from advisor.read.frameworks.transformers.tokenizers import note_padded

        note_padded(call, fact)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(ROOT + "DataLoader", role="loader", fact=fact, node=call.node, attributes=_attributes(call))


def _attributes(call: LibraryCall) -> dict[str, Value]:
    names = list(signature(LOADER))
    given = {key: call.get(key, names.index(key)) for key in ("dataset", *KEPT)}
    return {key: value for key, value in given.items() if value is not None}


@table.method("loader", "__init__")
def loader_init(call: LibraryCall) -> Value:
    """super().__init__(dataset, ...) of a loader class of the project."""
    if isinstance(call.this.fact, Loader):
        fill(call, call.this.fact)
        for key, value in _attributes(call).items():
            call.reader.store.write(call.this.attributes, key, value)
    return NONE


def batches(fact: Loader) -> Setting:
    """The number of batches, when sizes are known."""
    unknown = Unknown("the number of batches is not known")
    given = fact.settings.get("batch_sampler")
    if not isinstance(given, Known) or given.value is not None:
        return unknown
    rows = drawn(fact.samplers[0]) if fact.samplers else fact.dataset.settings.get("length") if fact.dataset is not None else None
    if not fact.samplers and not (isinstance(fact.settings.get("sampler"), Known) and fact.settings["sampler"].value is None):  # type: ignore[union-attr]
        return unknown
    size, drop = fact.settings.get("batch_size"), fact.settings.get("drop_last")
    count, each = number(rows), number(size)
    if not isinstance(rows, Known) or count is None or not isinstance(size, Known) or not isinstance(drop, Known):
        return unknown
    if size.value is None:
        return rows
    if not each or each < 1:
        return unknown
    whole = int(count // each) if drop.value else int(-(-count // each))
    return Known(whole, (*size.origin, *(link for link in rows.origin if link not in size.origin)), weak=size.weak or rows.weak or drop.weak)


@table.iterate("loader")
def iterate(reader: Reader, instance: Instance) -> Iteration:
    """for batch in loader"""
    fact = instance.fact
    if isinstance(fact, Loader) and (now := steps(fact.dataset)) not in fact.pipelines:
        fact.pipelines.append(now)
    batch = Tensor(Flow(source=fact, graph="none"), batch=axes.given_first(fact))
    return Iteration(batch, None, fact, batches(fact) if isinstance(fact, Loader) else None, "loader")


@table.method("loader", "__len__")
def loader_length(call: LibraryCall) -> Value:
    """len(loader)"""
    found = batches(call.this.fact) if isinstance(call.this.fact, Loader) else None
    if isinstance(found, Known):
        return Constant(found.value, found.origin, found.weak, call.place)
    return Opaque("the number of batches", "int", low=0, passes=Passes(call.this.fact, Known(1)))


ONLY_NEXT = (1, 13)  # from this torch on an iterator has no .next()


@table.method("loader", "next")
def next_batch(call: LibraryCall) -> Value | None:
    """iter(loader).next(), as Python 2 had it."""
    if call.this.cls is not None or call.this.kind != ROOT + "DataLoader" or not isinstance(call.node, ast.Call):
        return None
    if not call.reader.refusals.guarded and (pinned(call.reader, "torch") or ONLY_NEXT) >= ONLY_NEXT:
        fact = UndefinedName(call.place, name="next", lacked_by="DataLoader", gone=True)
        call.reader.refusals.refuse(call.reader, call.node, fact)
    return call.reader.call(Library("builtins.next"), Arguments([call.this]), call.node)


@table.method("loader", "__iter__")
def loader_iterator(call: LibraryCall) -> Value:
    """loader.__iter__()"""
    return call.this


@table.method("loader", "set_epoch")
def loader_epoch(call: LibraryCall) -> Value:
    """A prepared loader passes the epoch to its sampler; the reader notes it."""
    return NONE


@table.attribute("loader", "sampler", "batch_sampler")
def sampler_of(reader: Reader, instance: Instance) -> Value:
    """The sampler of a loader that was given none."""
    return reader.instance(ROOT + "Sampler", role="sampler")


for _attribute in ("shuffle", "batch_size", "drop_last", "num_workers", "sampler", "batch_sampler", "collate_fn"):

    def _late(name: str) -> Any:
        def write(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
            inside = any(frame is instance for frame in (reader.frame.receiver,))  # its own constructor
            if isinstance(instance.fact, Loader) and not inside:
                instance.fact.set_later = (*instance.fact.set_later, (name, setting(value), reader.place(node)))

        return write

    table.WRITES["loader", _attribute] = _late(_attribute)


# --- splits ------------------------------------------------------------------------------------------------------


@table.function(ROOT + "random_split")
def random_split(call: LibraryCall) -> Value:
    """random_split(dataset, lengths, generator)"""
    reader = call.reader
    given = call.get("dataset", 0)
    whole = dataset_of(reader, given)
    lengths = call.get("lengths", 1)
    known = list(lengths.items) if isinstance(lengths, Sequence) and lengths.exact else None
    count = len(known) if known is not None else 2
    fact = Split(call.place, kind=call.name, shuffle=Known(True), data=whole, origin=_held(whole), parts=len(known) if known is not None else None)
    fact.seed = seed_of(call, call.get("generator", 2))
    fact.dropped = scopes.dropped(reader.frame.module.tree, call.node)
    reader.record(fact)
    reader.emit(Kind.SPLIT, call.node, fact)
    if fact.seed is ABSENT:
        reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="split", generator=False)
    sizes = _sizes(known, number(whole.settings.get("length")) if whole is not None else None)
    items: list[Value] = []
    for index in range(count):
        part = part_of(call, whole)
        part.part, part.split, part.shuffled = index, fact, True
        part.settings["length"] = sizes[index] if sizes is not None else Unknown("the size of a part is not known")
        items.append(made(call, part, attributes={"dataset": given} if given is not None else {}))
    return sequence(items, "list", exact=known is not None or lengths is None)


def _held(whole: Dataset | None) -> Any:
    """The arrays that a data set is made of, all of their rows."""
    return whole.data if whole is not None and not is_part(whole.data) else None


def seed_of(call: LibraryCall, generator: Value | None) -> Setting:
    """The seed that a split is given by a generator; absent when it draws from the global numbers."""
    if generator is None or (isinstance(generator, Constant) and generator.value is None):
        return ABSENT if call.arguments.exact else Unknown("it may be given by ** arguments")
    if isinstance(generator, Instance):
        seed = generator.attributes.get("seed")
        return setting(seed) if seed is not None else Unknown("a generator without a seed that was read")
    return Unknown("a generator that could not be read")


def part_of(call: LibraryCall, whole: Dataset | None) -> Dataset:
    """A part of a data set, with what it shares with the whole."""
    part = Dataset(call.place, kind=ROOT + "Subset", origin=whole)
    if whole is not None:
        part.data, part.class_counts = whole.data, whole.class_counts
        part.items = tuple(replace(item, rows=None) for item in whole.items)
        part.iterable = whole.iterable
    return part


def _sizes(lengths: list[Value] | None, whole: float | None) -> list[Setting] | None:
    """The lengths as numbers of samples; fractions are taken of the whole as torch does, what is left over goes to the first parts in turn."""
    if not lengths or not all(isinstance(value, Constant) and isinstance(value.value, (int, float)) for value in lengths):
        return None
    values = [float(value.value) for value in lengths if isinstance(value, Constant)]
    if all(isinstance(value, Constant) and isinstance(value.value, int) for value in lengths):
        return [setting(value) for value in lengths]
    if whole is None or not 0.999 < sum(values) < 1.001:
        return None
    counts = [int(whole * value) for value in values]
    for index in range(int(whole) - sum(counts)):
        counts[index % len(counts)] += 1
    return [Known(count) for count in counts]


@table.function(ROOT + "get_worker_info")
def worker_info(call: LibraryCall) -> Value:
    """None in the main process."""
    return Opaque("the worker's information")


@table.function(ROOT + "default_collate", ROOT + "dataloader.default_collate", ROOT + "default_convert")
def collate(call: LibraryCall) -> Value:
    """Batches a list of samples."""
    return Tensor(Flow(graph="none"))
