"""torch.utils.data: loaders, datasets, samplers and random splits."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Flow, Loader, Sampler, Split
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, Iteration, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Sequence, Tensor, Value, members, sequence, setting

LOADER: dict[str, Any] = {
    "dataset": REQUIRED,
    "batch_size": 1,
    "shuffle": None,
    "sampler": None,
    "batch_sampler": None,
    "num_workers": 0,
    "collate_fn": None,
    "pin_memory": False,
    "drop_last": False,
    "timeout": 0,
    "worker_init_fn": None,
    "multiprocessing_context": None,
    "generator": None,
    "prefetch_factor": None,
    "persistent_workers": False,
}
SAMPLERS: dict[str, dict[str, Any]] = {
    "WeightedRandomSampler": {"weights": REQUIRED, "num_samples": REQUIRED, "replacement": True, "generator": None},
    "RandomSampler": {"data_source": REQUIRED, "replacement": False, "num_samples": None, "generator": None},
    "SequentialSampler": {"data_source": REQUIRED},
    "SubsetRandomSampler": {"indices": REQUIRED, "generator": None},
    "BatchSampler": {"sampler": REQUIRED, "batch_size": REQUIRED, "drop_last": REQUIRED},
    "DistributedSampler": {"dataset": REQUIRED, "num_replicas": None, "rank": None, "shuffle": True, "seed": 0, "drop_last": False},
}
ROOT = "torch.utils.data."
for _name in ("Dataset", "IterableDataset", "TensorDataset", "Subset", "ConcatDataset", "ChainDataset", "StackDataset"):
    table.CLASS_ROLES[ROOT + _name] = "dataset"
table.CLASS_ROLES[ROOT + "DataLoader"] = "loader"
for _name in (*SAMPLERS, "Sampler"):
    table.CLASS_ROLES[ROOT + _name] = "sampler"


def dataset_of(value: Value | None) -> Dataset | None:
    """The data set that a value is (the default path's)."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Dataset):
            return member.fact
    return None


def sampler_facts(value: Value | None) -> tuple[Sampler, ...]:
    """Every sampler that a value may be."""
    found = (
        [member.fact for member in members(value) if isinstance(member, Instance) and isinstance(member.fact, Sampler)] if value is not None else []
    )
    return tuple(found)


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
    settings = call.settings(LOADER)
    settings.pop("dataset")
    fact.settings = settings
    data = call.get("dataset", 0)
    fact.dataset = dataset_of(data)
    fact.dataset_flow = _kind_of(data)
    fact.samplers = (*sampler_facts(call.get("sampler", 3)), *sampler_facts(call.get("batch_sampler", 4)))
    for key in ("sampler", "batch_sampler"):
        value = call.get(key)
        if isinstance(value, Opaque) and isinstance(settings[key], Unknown):
            settings[key] = Unknown(value.why)


@table.function(ROOT + "DataLoader", "torch_geometric.loader.DataLoader", "torch_geometric.data.DataLoader")
def loader(call: LibraryCall) -> Value:
    """DataLoader(dataset, ...)"""
    fact = Loader(call.place, kind=call.name)
    fill(call, fact)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    data = call.get("dataset", 0)
    attributes = {"dataset": data} if data is not None else {}
    for key in ("sampler", "batch_sampler", "batch_size"):
        value = call.get(key, list(LOADER).index(key))
        if value is not None:
            attributes[key] = value
    return call.reader.instance(ROOT + "DataLoader", role="loader", fact=fact, node=call.node, attributes=attributes)


@table.method("loader", "__init__")
def loader_init(call: LibraryCall) -> Value:
    """super().__init__(dataset, ...) of a loader class of the project."""
    if isinstance(call.this.fact, Loader):
        fill(call, call.this.fact)
        data = call.get("dataset", 0)
        if data is not None:
            call.reader.store.write(call.this.attributes, "dataset", data)
    return NONE


def batches(fact: Loader) -> Setting:
    """The number of batches, when sizes are known."""
    size, rows = fact.settings.get("batch_size"), fact.dataset.settings.get("length") if fact.dataset is not None else None
    if isinstance(size, Known) and isinstance(rows, Known) and isinstance(size.value, int) and isinstance(rows.value, int) and size.value > 0:
        return Known(-(-rows.value // size.value))
    return Unknown("the number of batches is not known")


@table.iterate("loader")
def iterate(reader: Reader, instance: Instance) -> Iteration:
    """for batch in loader"""
    fact = instance.fact
    return Iteration(Tensor(Flow(source=fact, graph="none")), None, fact, batches(fact) if isinstance(fact, Loader) else None, "loader")


@table.method("loader", "__len__", "set_epoch", "__iter__")
def loader_method(call: LibraryCall) -> Value:
    """len(loader)"""
    return call.this if call.name.endswith("__iter__") else Opaque("the number of batches", "int")


for _attribute in ("shuffle", "batch_size", "drop_last", "num_workers", "sampler"):

    def _late(name: str) -> Any:
        def write(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
            if isinstance(instance.fact, Loader):
                instance.fact.set_later = (*instance.fact.set_later, (name, setting(value), reader.place(node)))

        return write

    table.WRITES["loader", _attribute] = _late(_attribute)


# --- data sets ---------------------------------------------------------------------------------------------------


def make_dataset(call: LibraryCall, fact: Dataset, attributes: dict[str, Value] | None = None, data: dict[str, Any] | None = None) -> Instance:
    """Registers a data set that a library call built."""
    call.reader.record(fact)
    return call.reader.instance(fact.kind, role="dataset", fact=fact, node=call.node, attributes=attributes, data=data)


@table.function(ROOT + "TensorDataset")
def tensor_dataset(call: LibraryCall) -> Value:
    """TensorDataset(x, y)"""
    fact = Dataset(call.place, kind=call.name)
    flows = [value.flow for value in call.arguments.positional if isinstance(value, Tensor)]
    fact.data = flows[0].source if flows else None
    fact.transforms = []
    return make_dataset(call, fact, data={"tensors": list(call.arguments.positional)})


@table.function(ROOT + "Subset")
def subset(call: LibraryCall) -> Value:
    """Subset(dataset, indices)"""
    origin = dataset_of(call.get("dataset", 0))
    fact = Dataset(call.place, kind=call.name, origin=origin)
    if origin is not None:
        fact.transforms, fact.data, fact.class_counts = origin.transforms, origin.data, origin.class_counts
    indices = call.get("indices", 1)
    fact.part = f"indices {id(indices)}" if indices is not None else None
    inner = call.get("dataset", 0)
    return make_dataset(call, fact, attributes={"dataset": inner} if inner is not None else {})


@table.function(ROOT + "ConcatDataset", ROOT + "ChainDataset", ROOT + "StackDataset")
def concat(call: LibraryCall) -> Value:
    """ConcatDataset([a, b])"""
    given = call.get("datasets", 0)
    parts = [found for item in (given.items if isinstance(given, Sequence) else ()) if (found := dataset_of(item)) is not None]
    fact = Dataset(call.place, kind=call.name)
    roles = {part.role for part in parts}
    if len(roles) == 1:
        fact.role = roles.pop()
    if parts and all(part.transforms is not None for part in parts):
        fact.transforms = [transform for part in parts for transform in part.transforms or []]
    return make_dataset(call, fact)


@table.function(ROOT + "random_split")
def random_split(call: LibraryCall) -> Value:
    """random_split(dataset, lengths, generator)"""
    reader = call.reader
    whole = dataset_of(call.get("dataset", 0))
    generator = call.get("generator", 2)
    lengths = call.get("lengths", 1)
    count = len(lengths.items) if isinstance(lengths, Sequence) and lengths.exact else 2
    fact = Split(call.place, kind=call.name, shuffle=Known(True), data=whole, parts=count)
    if generator is None or (isinstance(generator, Constant) and generator.value is None):
        fact.seed = ABSENT if call.arguments.exact else Unknown("it may be given by ** arguments")
    elif isinstance(generator, Instance):
        seed = generator.attributes.get("seed")
        fact.seed = setting(seed) if seed is not None else ABSENT
    else:
        fact.seed = Unknown("a generator that could not be read")
    reader.record(fact)
    reader.emit(Kind.SPLIT, call.node, fact)
    if fact.seed is ABSENT:
        reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="split")
    items: list[Value] = []
    for index in range(count):
        part = Dataset(call.place, kind=ROOT + "Subset", origin=whole, part=index, split=fact, shuffled=True)
        if whole is not None:
            part.transforms, part.data, part.class_counts = whole.transforms, whole.data, whole.class_counts
        inner = call.get("dataset", 0)
        items.append(make_dataset(call, part, attributes={"dataset": inner} if inner is not None else {}))
    return sequence(items, "list")


@table.iterate("dataset")
def iterate_dataset(reader: Reader, instance: Instance) -> Iteration:
    """for sample in dataset"""
    return Iteration(Tensor(Flow(source=instance.fact, graph="none")), what="data")


@table.method("dataset", "__getitem__")
def dataset_item(call: LibraryCall) -> Value:
    """dataset[i]"""
    return Tensor(Flow(source=call.this.fact, graph="none"))


@table.attribute("dataset", "indices", "targets", "classes", "labels", "class_to_idx", "samples", "imgs", "data")
def dataset_attribute(reader: Reader, instance: Instance) -> Value | None:
    """What library data sets carry."""
    return Opaque("a part of a data set", flow=Flow(source=instance.fact, graph="none"))


@table.method("dataset", "__len__")
def dataset_length(call: LibraryCall) -> Value:
    """len(dataset)"""
    return Opaque("the number of samples", "int")


# --- samplers ----------------------------------------------------------------------------------------------------


def _sampler(call: LibraryCall, name: str, signature: dict[str, Any]) -> Value:
    settings = call.settings(signature)
    for key in ("data_source", "dataset", "indices"):
        settings.pop(key, None)
    fact = Sampler(call.place, kind=ROOT + name, settings=settings)
    if name == "WeightedRandomSampler":
        weights = call.get("weights", 0)
        fact.weights, fact.weights_place = _weights(weights), call.reader.argument_place(call.node, "weights", 0)
        fact.settings.pop("weights", None)
    call.reader.record(fact)
    if name == "DistributedSampler":
        call.reader.recipe.distributed.setdefault("sampler", Known(True, place=call.place))
    return call.reader.instance(ROOT + name, role="sampler", fact=fact, node=call.node)


def _weights(value: Value | None) -> str | None:
    """per-class for a short literal list; per-sample when it is made by a loop or an index over samples; else not known."""
    if isinstance(value, Sequence):
        if value.exact and value.kind in ("list", "tuple") and all(isinstance(item, Constant) for item in value.items) and 2 <= len(value.items) <= 32:
            return "per-class"
        return "per-sample" if not value.exact else None
    return None


for _name, _signature in SAMPLERS.items():
    table.FUNCTIONS[ROOT + _name] = lambda call, name=_name, signature=_signature: _sampler(call, name, signature)  # type: ignore[misc]


@table.method("sampler", "set_epoch")
def set_epoch(call: LibraryCall) -> Value:
    """sampler.set_epoch(epoch)"""
    call.reader.emit(Kind.SET_EPOCH, call.node, call.this.fact)
    return NONE


@table.method("sampler", "__init__", "__len__", "__iter__")
def sampler_other(call: LibraryCall) -> Value:
    """Nothing the rules ask about."""
    return Opaque("a property of a sampler")


@table.function(ROOT + "get_worker_info")
def worker_info(call: LibraryCall) -> Value:
    """None in the main process."""
    return Opaque("the worker's information")


@table.function("torch.utils.data.default_collate", "torch.utils.data.dataloader.default_collate")
def collate(call: LibraryCall) -> Value:
    """Batches a list of samples."""
    return Tensor(Flow(graph="none"))
