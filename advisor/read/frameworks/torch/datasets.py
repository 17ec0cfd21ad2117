"""Data sets: torch's own, and what can be seen of those of the project."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.pipelines import steps
from advisor.model.recipe import Dataset, Flow, Loader, Role, Transform
from advisor.model.record import replace
from advisor.model.source import Known, Setting, Unknown, number
from advisor.read.frameworks import table
from advisor.read.frameworks.cuts import rows_of, split_of
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch.applied import applied
from advisor.read.frameworks.torch.drawn_changes import drawn_changes
from advisor.read.frameworks.torch.placeholders import drawn_inputs
from advisor.read.frameworks.torch.samples import any_index, batch_of, counted, two_views
from advisor.read.python import sampled
from advisor.read.python.reader import Reader
from advisor.read.python.values import Class, Constant, Function, Instance, Opaque, Sequence, Tensor, Value, members, sequence

ROOT = "torch.utils.data."
for _name in (
    "Dataset",
    "IterableDataset",
    "TensorDataset",
    "Subset",
    "ConcatDataset",
    "ChainDataset",
    "StackDataset",
    "MapDataPipe",
    "IterDataPipe",
):
    table.CLASS_ROLES[ROOT + _name] = "dataset"
ITERABLE = (ROOT + "IterableDataset", ROOT + "ChainDataset", ROOT + "IterDataPipe")
SPLITS = ("split", "mode", "phase", "subset", "partition", "set", "stage", "train", "is_train", "image_set", "dataset_type", "data_type")
DEPTH = 4


def dataset_of(reader: Reader, value: Value | None) -> Dataset | None:
    """The data set that a value is (the default path's); one of the project is looked into."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Dataset):
            if member.cls is not None:
                if member.role is None and member.fact not in reader.recipe.datasets.items:
                    reader.record(member.fact)  # a class without a base that gives items by their number
                _look(reader, member, member.fact)
                if member is value:
                    sampled.judge(reader, member)
            return member.fact
    return None


def made(call: LibraryCall, fact: Dataset, attributes: dict[str, Value] | None = None, data: dict[str, Any] | None = None) -> Instance:
    """Registers a data set that a library call built."""
    call.reader.record(fact)
    return call.reader.instance(fact.kind, role="dataset", fact=fact, node=call.node, attributes=attributes, data=data)


def role_of_words(text: str) -> Role:
    """The role that a word such as `train`, `val` or `test2017` names."""
    word = text.lower().strip("/\\ ")
    if word.startswith(("train", "tr_")) or word in ("tr", "training"):
        return "train"
    if word.startswith(("val", "dev", "eval")):
        return "validation"
    return "test" if word.startswith("test") else "unknown"


# --- data sets of the project ------------------------------------------------------------------------------------


def _look(reader: Reader, instance: Instance, fact: Dataset) -> None:
    """Transforms, role and generators among the attributes of a data set of the project."""
    fact.iterable = fact.iterable or instance.kind in ITERABLE
    if fact.transforms is None and not fact.maybe_replaced:
        fact.transforms = _steps(instance, instance.attributes)
    if fact.role == "unknown":
        roles = {_role(instance.attributes[name]) for name in SPLITS if name in instance.attributes} - {"unknown"}
        if len(roles) == 1:
            fact.role = roles.pop()
    if fact.role == "unknown" and instance.cls is not None and _holds_test_set(instance, instance.cls):
        fact.role = "test"
    if fact.generator is None and instance.cls is not None:
        fact.generator = _generator(instance, instance.cls)
    if fact.placeholder is None and instance.cls is not None:
        drawn = drawn_inputs(instance, instance.cls)
        if drawn is not None:
            fact.placeholder, fact.placeholder_key = drawn.place, drawn.part
    if instance.cls is not None:
        fact.any_index = any_index(instance.cls)
        fact.two_views = two_views(instance.cls)
        fact.drawn_changes = drawn_changes(reader, instance, instance.cls)
    if not fact.items and instance.cls is not None:
        fact.items = batch_of(instance, instance.cls)


def _holds_test_set(instance: Instance, cls: Class) -> bool:
    """True for a data set that is as long as a test set which it holds, or as what was computed of all batches of one."""
    held = instance.attributes.get(counted(cls) or "")
    if isinstance(held, Tensor) and "rows" not in held.flow.part:
        loader = held.flow.source
        whole = loader.dataset if isinstance(loader, Loader) and loader.takes_all else None
    else:
        whole = held.fact if isinstance(held, Instance) and isinstance(held.fact, Dataset) else None
    return whole is not None and whole.role == "test" and whole.origin is None and whole.split is None and not whole.rewritten


def _steps(instance: Instance, attributes: dict[str, Value]) -> list[Transform] | None:
    """The transforms among the attributes that a sample meets on its way; None where there are none that can be seen."""
    held = {name: members(value)[0] for name, value in attributes.items()}  # of several, the one that holds by default
    steps = {name: value for name, value in held.items() if isinstance(value, Instance) and value.role == "transform"}
    met = applied(instance, instance.cls) if steps and instance.cls is not None else None
    found = [value for name, value in steps.items() if met is None or name in met]
    return [transform for value in found for transform in transforms_of(value)] if found else None


def transforms_of(value: Instance) -> list[Transform]:
    """The steps of a pipeline of transforms, or the transform alone."""
    steps = value.data.get("steps")
    if steps is not None:
        return list(steps)
    return [value.fact] if isinstance(value.fact, Transform) else []


def _role(value: Value) -> Role:
    head = members(value)[0]
    if isinstance(head, Constant):
        if head.value is True:
            return "train"
        if isinstance(head.value, str):
            return role_of_words(head.value)
    return "unknown"


def _generator(instance: Instance, cls: Class) -> Any:
    """Where a generator of numpy's was made once that __getitem__ draws from: every worker has the same copy of it."""
    method = next((base.namespace.get("__getitem__") for base in cls.mro if isinstance(base, Class) and "__getitem__" in base.namespace), None)
    if not isinstance(method, Function):
        return None
    owned = _generators(instance.attributes)
    shared = _generators(cls.module.namespace)
    if not owned and not shared:
        return None
    for node in ast.walk(method.node):
        if isinstance(node, ast.Attribute) and node.attr in owned and isinstance(node.value, ast.Name):
            return owned[node.attr]
        if isinstance(node, ast.Name) and node.id in shared:
            return shared[node.id]
    return None


def _generators(names: dict[str, Value]) -> dict[str, Any]:
    """The numpy generators among named values, with where they were made."""
    return {
        name: value.place
        for name, value in names.items()
        if isinstance(value, Instance) and value.role == "own-generator" and value.kind.startswith("numpy.")
    }


# --- data sets of torch ------------------------------------------------------------------------------------------


@table.function(ROOT + "TensorDataset")
def tensor_dataset(call: LibraryCall) -> Value:
    """TensorDataset(x, y): a batch is made of the same tensors, fewer rows of them."""
    fact = Dataset(call.place, kind=call.name, transforms=[])
    tensors = call.arguments.positional
    flows = [value.flow if isinstance(value, Tensor) else Flow(graph="none") for value in tensors]
    fact.data = next((flow.source for flow in flows if flow.source is not None), None)
    fact.read_from = fact.data.data.get("file") if isinstance(fact.data, Instance) else None
    written = call.node.args if isinstance(call.node, ast.Call) else []
    if len(written) == len(tensors) and all(isinstance(argument, ast.Name) for argument in written):
        fact.part = f"tensors {[(ast.unparse(argument), id(value)) for argument, value in zip(written, tensors)]}"
        call.reader.keep += tensors
    if call.arguments.exact:
        fact.items = tuple(replace(flow, rows=None, modules=(), source=None, sources=(), part=()) for flow in flows)
    unknown = Unknown("the number of samples is not known", passes=next(filter(None, map(rows_of, tensors)), None))
    fact.settings["length"] = next((flow.rows for flow in flows if flow.rows is not None), unknown)
    return made(call, fact, attributes={"tensors": Sequence("tuple", {"items": tuple(tensors), "exact": call.arguments.exact})})


@table.function(ROOT + "Subset")
def subset(call: LibraryCall) -> Value:
    """Subset(dataset, indices)"""
    from advisor.read.frameworks.torch.data import part_of

    inner, indices = call.get("dataset", 0), call.get("indices", 1)
    fact = part_of(call, dataset_of(call.reader, inner))
    fact.part, fact.split = f"indices {id(indices)}" if indices is not None else None, split_of(indices)
    if indices is not None:
        call.reader.keep.append(indices)
    fact.settings["length"] = _count(indices)
    attributes = {key: value for key, value in (("dataset", inner), ("indices", indices)) if value is not None}
    return made(call, fact, attributes=attributes)


def _count(indices: Value | None) -> Setting:
    if isinstance(indices, Sequence):
        iteration = indices.state.get("iteration")
        if iteration is not None and isinstance(iteration.count, Known):
            return iteration.count
        if indices.exact:
            return Known(len(indices.items))
    return Unknown("the number of indices is not known")


@table.function(ROOT + "ConcatDataset", ROOT + "ChainDataset", ROOT + "StackDataset")
def concat(call: LibraryCall) -> Value:
    """ConcatDataset([a, b])"""
    given = call.get("datasets", 0)
    held = list(given.items) if isinstance(given, Sequence) else list(call.arguments.positional)
    parts = [found for item in held if (found := dataset_of(call.reader, item)) is not None]
    fact = Dataset(call.place, kind=call.name, iterable=call.name in ITERABLE)
    whole = bool(parts) and len(parts) == len(held) and (not isinstance(given, Sequence) or given.exact)
    roles = {part.role for part in parts}
    if len(roles) == 1 and whole:
        fact.role = roles.pop()
    if whole and all(steps(part) is not None for part in parts):
        fact.transforms = [transform for part in parts for transform in steps(part) or []]
    sizes = [number(part.settings.get("length")) for part in parts]
    if whole and all(size is not None for size in sizes) and not call.name.endswith("StackDataset"):
        fact.settings["length"] = Known(int(sum(size or 0 for size in sizes)))
    return made(call, fact, attributes={"datasets": given} if given is not None else {})


@table.iterate("dataset")
def iterate_dataset(reader: Reader, instance: Instance) -> Iteration:
    """for sample in dataset"""
    length = instance.fact.settings.get("length") if isinstance(instance.fact, Dataset) else None
    return Iteration(Tensor(Flow(source=instance.fact, graph="none")), what="data", count=length)


@table.method("dataset", "__getitem__")
def dataset_item(call: LibraryCall) -> Value:
    """dataset[i], dataset[:100]: of tensors the same part of each."""
    tensors = call.this.attributes.get("tensors")
    index = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(tensors, Sequence) and index is not None:
        return sequence([call.reader.subscript(item, index, call.node) for item in tensors.items], "tuple", tensors.exact)
    return Tensor(Flow(source=call.this.fact, graph="none"))


@table.attribute("dataset", "indices", "targets", "classes", "labels", "class_to_idx", "samples", "imgs", "data", "train_labels", "test_labels")
def dataset_attribute(reader: Reader, instance: Instance) -> Value | None:
    """What library data sets carry."""
    return Opaque("a part of a data set", flow=Flow(source=instance.fact, graph="none"))


@table.method("dataset", "__len__")
def dataset_length(call: LibraryCall) -> Value:
    """len(dataset)"""
    found = call.this.fact.settings.get("length") if isinstance(call.this.fact, Dataset) else None
    if isinstance(found, Known):
        return Constant(found.value, found.origin, found.weak, call.place)
    return Opaque("the number of samples", "int", low=0)


@table.method("dataset", "__init__", "__add__")
def dataset_other(call: LibraryCall) -> Value | None:
    """super().__init__() of a data set of the project."""
    return None


@table.write("dataset", "dataset")
def cut_from(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
    """part.dataset = copy.copy(whole): a part of a split is of another data set from here on."""
    if isinstance(instance.fact, Dataset) and instance.fact.origin is not None:
        instance.fact.origin = dataset_of(reader, value)


@table.write("dataset", "*")
def later(reader: Reader, instance: Any, value: Value, node: ast.AST) -> None:
    """dataset.transform = ...: the pipeline from here on. Torch's own data sets, such as the parts of a split, read no such attribute."""
    fact, given, name = instance.fact, members(value), node.attr if isinstance(node, ast.Attribute) else ""
    if not isinstance(fact, Dataset) or (instance.cls is None and instance.kind.startswith(ROOT)):
        return
    if fact.transforms is None and reader.frame.receiver is instance:
        return  # of the project, and being made
    found = [member for member in given if isinstance(member, Instance) and member.role == "transform"]
    if not found and not any(isinstance(held, Instance) and held.role == "transform" for held in members(instance.attributes.get(name, value))):
        return
    if len(found) not in (0, len(given)):
        fact.transforms = None
    elif instance.cls is not None and name:
        fact.transforms = _steps(instance, {**instance.attributes, name: value})
    else:
        fact.transforms = [transform for member in found for transform in transforms_of(member)]


@table.write("unread", "*")
def of_any(reader: Reader, owner: Any, value: Value, node: ast.AST) -> None:
    """found.transform = plain: the data set that is found by a walk may be each of those made so far, so that nobody knows their pipelines."""
    if any(isinstance(member, Instance) and member.role == "transform" for member in members(value)) or _names_pipeline(node):
        for fact in reader.recipe.datasets.items:
            fact.transforms, fact.maybe_replaced = None, True


def _names_pipeline(node: ast.AST) -> bool:
    """True for the attribute that the data sets of torchvision keep their transforms in: a pipeline that was kept aside comes back."""
    return isinstance(node, ast.Attribute) and node.attr in ("transform", "transforms")
