"""datasets of Hugging Face: splits by name, train_test_split, shuffle; what is derived from a data set is still that data."""

from __future__ import annotations

import ast
import re

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Flow, Split, UnknownKey
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Place
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.pandas import held_rows
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.datasets import made, role_of_words
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Tensor, Value, sequence

DATASET, PARTS = "datasets.Dataset", "datasets.DatasetDict"
VERSION = "datasets 4"
table.CLASS_ROLES["datasets.Dataset"] = "dataset"
_KEEPING = (
    "map",
    "filter",
    "select",
    "remove_columns",
    "rename_column",
    "rename_columns",
    "cast",
    "cast_column",
    "class_encode_column",
    "with_format",
    "with_transform",
    "set_format",
    "flatten",
    "sort",
    "add_column",
    "select_columns",
    "take",
    "skip",
    "shard",
    "flatten_indices",
    "prepare_for_task",
    "to_iterable_dataset",
)


_FILES = ("csv", "json", "text", "parquet", "arrow", "pandas", "xml", "webdataset", "imagefolder", "audiofolder", "videofolder", "generator")
_CUTTING = ("select", "take", "skip", "shard")  # what leaves a part of the samples, whatever they hold


def a_dataset(call: LibraryCall, part: str | None, data: object, published: bool = False) -> Instance:
    """A data set; `part` is the name of its split."""
    fact = Dataset(call.place, kind=DATASET, part=part, role=role_of_words(part) if part else "unknown", data=data, published=published)
    return made(call, fact)


def _published(call: LibraryCall, path: str | None) -> bool:
    """True for the splits that the authors of a data set on the hub made: no files and no folder of the program's own."""
    plain = path is not None and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", path) is not None and path not in _FILES and not path.endswith(".py")
    own = any(call.get(name) is not None for name in ("data_dir", "data_files"))
    return plain and not own and call.arguments.exact and call.name.endswith("load_dataset")


@table.function("datasets.load_dataset", "datasets.load_from_disk", "datasets.arrow_dataset.Dataset.load_from_disk")
def load(call: LibraryCall) -> Value:
    """load_dataset("imdb", split="train")"""
    split = call.get("split")
    text, path = text_of(split), text_of(call.get("path", 0))
    published = _published(call, path)
    if text is not None:
        return a_dataset(call, text.partition("[")[0], path, published and "[" not in text)
    if isinstance(split, Sequence):
        return sequence([a_dataset(call, text_of(item), path) for item in split.items], "list", split.exact)
    if split is not None and not (isinstance(split, Constant) and split.value is None):
        return a_dataset(call, None, None)
    data: dict[str, object] = {"data": path, "parts": {}, "published": published}
    return call.reader.instance(PARTS, role="dataset-parts", node=call.node, data=data)


@table.function(
    *(f"datasets.Dataset.{name}" for name in ("from_dict", "from_pandas", "from_list", "from_generator", "from_csv", "from_json", "from_parquet")),
    "datasets.concatenate_datasets",
    "datasets.interleave_datasets",
)
def build(call: LibraryCall) -> Value:
    """Dataset.from_dict({...})"""
    made, given = a_dataset(call, None, None), call.get("df", 0)
    if call.name.endswith(".from_pandas") and isinstance(given, Instance) and given.role == "frame" and isinstance(made.fact, Dataset):
        made.fact.data, made.fact.drawn_from = held_rows(given)
    return made


@table.method("dataset-parts", "__getitem__")
def part(call: LibraryCall) -> Value:
    """data["train"]: the same object each time."""
    key = call.reader.plain(call.arguments.positional[0])
    if not isinstance(key, str):
        return Opaque("a split that is not known")
    parts: dict[str, Value] = call.this.data["parts"]
    found = parts.get(key)
    if found is None and call.this.data.get("whole"):
        _not_there(call, key, parts)
        return Opaque("a split that is not there")
    if found is None:
        found = a_dataset(call, key, call.this.data.get("data"), bool(call.this.data.get("published")))
        if isinstance(found.fact, Dataset):
            found.fact.padded_labels = call.this.data.get("labels")
        call.reader.store.write(call.this.data, "parts", {**parts, key: found})
    return found


def _not_there(call: LibraryCall, key: str, parts: dict[str, Value]) -> None:
    """Notes a part that is asked for and that nobody made, where nothing is asked in between that may know of it."""
    reader = call.reader
    if call.name.endswith("__getitem__") and not reader.refusals.guarded and call.this.data.get("under") == reader.conditions:
        maker = "train_test_split" if call.this.data["whole"] == "split" else "DatasetDict"
        reader.record(UnknownKey(call.place, name=key, taker=maker, fields=tuple(parts), by="parts"))


@table.method("dataset-parts", "__setitem__")
def set_part(call: LibraryCall) -> Value:
    """data["validation"] = ..."""
    key, value = call.reader.plain(call.arguments.positional[0]), call.arguments.positional[1]
    if isinstance(key, str):
        call.reader.store.write(call.this.data, "parts", {**call.this.data["parts"], key: value})
        _name(value, key)
    else:
        call.reader.store.write(call.this.data, "whole", False)
    return NONE


@table.method("dataset-parts", "update", "setdefault", "__delitem__", "clear")
def change_parts(call: LibraryCall) -> Value:
    """data.update(...): what it holds is no longer known."""
    call.reader.store.write(call.this.data, "whole", False)
    return Opaque("a part of a data set")


def _name(value: Value, key: str) -> None:
    """A data set without a name of its own has that of its place among the parts."""
    fact = value.fact if isinstance(value, Instance) else None
    if isinstance(fact, Dataset) and fact.part is None and fact.split is None:
        fact.part, fact.role = key, role_of_words(key)


@table.method("dataset-parts", *_KEEPING, "shuffle", "copy")
def derived_parts(call: LibraryCall) -> Value:
    """data.map(tokenize): every part mapped."""
    if call.name.endswith(".shuffle"):
        _drawn(call, "seeds")
    if not call.name.endswith(".map"):
        return call.this
    labels = _labels(call)
    mapped = {key: _mapped(call, value, labels) for key, value in call.this.data["parts"].items()}
    data = {**call.this.data, "parts": mapped, "labels": call.this.data.get("labels") if labels is False else labels}
    return call.reader.instance(PARTS, role="dataset-parts", node=call.node, data=data)


def _labels(call: LibraryCall) -> Place | bool | None:
    """What a mapped function makes of the labels (transformers/tokenizers.py)."""
    if "transformers" not in call.reader.imported:
        return None
    from advisor.read.frameworks.transformers.tokenizers import padded_labels

    return padded_labels(call.reader, call.get("function", 0), call.node)


def _mapped(call: LibraryCall, value: Value, labels: Place | bool | None) -> Value:
    """A part of what was mapped."""
    fact = value.fact if isinstance(value, Instance) else None
    if not isinstance(fact, Dataset):
        return value
    kept = fact.padded_labels if labels is False else labels
    return call.reader.instance(DATASET, role="dataset", fact=replace(fact, padded_labels=kept), node=call.node)


@table.method("dataset-parts", "keys", "items", "values", "pop", "get", "save_to_disk", "push_to_hub")
def about_parts(call: LibraryCall) -> Value | None:
    """What the parts are called."""
    if call.name.endswith(".values") and call.this.data.get("whole"):
        return sequence(list(call.this.data["parts"].values()))
    return part(call) if call.name.endswith((".get", ".pop")) and call.arguments.positional else Opaque("the parts of a data set")


def _drawn(call: LibraryCall, argument: str = "seed") -> None:
    """Without a seed, numpy's global generator decides; over a stream, whose shuffle alone has a buffer, one of its own."""
    if call.get("buffer_size") is not None:
        return
    seed = call.get(argument, 0) or call.get("seed")
    if call.arguments.exact and (seed is None or (isinstance(seed, Constant) and seed.value is None)) and call.get("generator") is None:
        call.reader.emit(Kind.DRAW, call.node, None, library="numpy", what=f"datasets.Dataset.{call.name.rpartition('.')[2]}", use="shuffle")


@table.method(DATASET, *_KEEPING, "shuffle")
def derived(call: LibraryCall) -> Value:
    """dataset.map(tokenize): still that data."""
    fact = call.this.fact
    if not isinstance(fact, Dataset):
        return Opaque("a data set")
    if call.name.endswith(".set_format"):
        return NONE
    shuffled = call.name.endswith(".shuffle")
    if shuffled:
        _drawn(call)
    if call.name.endswith(".map"):
        return _mapped(call, call.this, _labels(call))
    cut = call.name.endswith(_CUTTING)
    chosen = fact.rewritten | {call.name.rpartition(".")[2]} if cut or call.name.endswith(".filter") else fact.rewritten
    new = replace(fact, shuffled=fact.shuffled or shuffled, published=fact.published and not cut, rewritten=chosen)
    return call.reader.instance(DATASET, role="dataset", fact=new, node=call.node)


@table.method("dataset-parts", "train_test_split")
def split_whole(call: LibraryCall) -> Value:
    """load_from_disk(path).train_test_split(...): no parts then, but one data set."""
    return _split(call, a_dataset(call, None, call.this.data.get("data")).fact)


@table.method(DATASET, "train_test_split")
def train_test_split(call: LibraryCall) -> Value:
    """dataset.train_test_split(test_size=0.1, seed=42)"""
    return _split(call, call.this.fact)


def _split(call: LibraryCall, whole: object) -> Value:
    reader = call.reader
    fact = Split(call.place, kind="datasets.Dataset.train_test_split", parts=2, data=whole)
    fact.seed = call.setting("seed", 5, None, VERSION)
    if isinstance(fact.seed, Known) and fact.seed.value is None:
        fact.seed = ABSENT
    fact.shuffle = call.setting("shuffle", 2, True, VERSION)
    fact.stratified = call.setting("stratify_by_column", 3, None, VERSION)
    reader.record(fact)
    reader.emit(Kind.SPLIT, call.node, fact)
    if fact.seed is ABSENT and call.get("generator") is None:
        reader.emit(Kind.DRAW, call.node, None, library="numpy", what=fact.kind, use="split")
    origin = whole if isinstance(whole, Dataset) else None
    parts: dict[object, Value] = {}
    for name in ("train", "test"):
        one = Dataset(call.place, kind=DATASET, origin=origin, part=name, split=fact, data=origin.data if origin else None, shuffled=True)
        parts[name] = made(call, one)
    data = {"data": None, "parts": parts, "whole": "split", "under": [*reader.conditions]}
    return reader.instance(PARTS, role="dataset-parts", node=call.node, data=data)


NO_COLUMNS = ("train", "validation")  # parts of a whole, which no published data set has as columns: a test may be one


@table.method(DATASET, "__getitem__", "__iter__", "iter")
def item(call: LibraryCall) -> Value:
    """dataset[0], dataset["text"]"""
    asked = call.reader.plain(call.arguments.positional[0]) if call.name.endswith("__getitem__") and call.arguments.positional else None
    plain = not call.reader.refusals.guarded and all(label == "default" for _, label in call.reader.conditions)
    if asked in NO_COLUMNS and plain and isinstance(call.this.fact, Dataset) and call.this.fact.role != "unknown":
        call.reader.record(UnknownKey(call.place, name=asked, taker=call.this.fact.role, by="parts"))
    return Tensor(Flow(source=call.this.fact, graph="none"))


@table.method(DATASET, "to_pandas", "to_csv", "save_to_disk", "push_to_hub", "unique", "to_dict", "features", "num_rows")
def about(call: LibraryCall) -> Value:
    """What is told of a data set."""
    return Opaque("what is told of a data set")


@table.function("datasets.DatasetDict", "datasets.IterableDatasetDict")
def parts_of(call: LibraryCall) -> Value:
    """DatasetDict({"train": ..., "test": ...})"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    held = {str(key): value for key, value in given.items.items()} if isinstance(given, Mapping) else {}
    held.update(call.arguments.keywords)
    for key, value in held.items():
        _name(value, key)
    listed = isinstance(call.node, ast.Call) and all(isinstance(one, ast.Dict) and None not in one.keys for one in call.node.args)
    whole = listed and call.arguments.exact and call.arguments.written and (given is None or isinstance(given, Mapping))
    data = {"data": None, "parts": held, "whole": whole, "under": [*call.reader.conditions]}
    return call.reader.instance(PARTS, role="dataset-parts", node=call.node, data=data)
