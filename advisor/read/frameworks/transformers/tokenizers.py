"""What a function that tokenizes for `dataset.map` makes of the labels: token ids that are padded, and whether the padding is masked."""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary

from advisor.model.pattern import pattern
from advisor.model.recipe import Loader
from advisor.model.source import Known, Place
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Bound, Constant, Function, Instance, Library, Mapping, Opaque, Value

TOKENIZER, ENCODING, IDS = "tokenizer", "encoding", "token-ids"
LEAVING = ("default_data_collator", "DefaultDataCollator", "DataCollatorWithPadding", "DataCollatorForSeq2Seq")  # the labels that are there
COLLATE = 6  # which argument of a loader it is
MASKED = pattern(r"-100|ignore_index|label_pad")
PADDING = ("max_length", "longest", True)
_MAPPING: WeakKeyDictionary[Reader, int] = WeakKeyDictionary()  # how many functions given to map() are being read


def padded_labels(reader: Reader, function: Value | None, node: ast.AST) -> Place | bool | None:
    """Where the labels of what a mapped function gives are padded; False where it gives no labels; None where that is not known."""
    if not isinstance(function, (Function, Bound)):
        return None
    outer, reader.block = reader.block, []  # what happens in it happens to no training
    _MAPPING[reader] = _MAPPING.get(reader, 0) + 1
    try:
        result = reader.call(function, Arguments([Opaque("examples of a data set")]), node)
    finally:
        _MAPPING[reader] -= 1
        reader.block = outer
    if isinstance(result, Instance) and result.role == ENCODING:
        held: dict[object, Value] = result.data["items"]
    elif isinstance(result, Mapping) and result.exact:
        held = dict(result.items)
    else:
        return None
    labels = held.get("labels")
    if labels is None:
        return False
    place = labels.data["padded"] if isinstance(labels, Instance) and labels.role == IDS else None
    return place if isinstance(place, Place) else None


def labels_of_items(reader: Reader, data: Value | None, node: ast.AST) -> Place | None:
    """Where a data set of the project pads the labels of each sample that it is asked for."""
    if not isinstance(data, Instance) or data.cls is None:
        return None
    method = classes.class_lookup(reader, data.cls, "__getitem__")
    if not isinstance(method, Function) or isinstance(method.node, ast.Lambda):
        return None
    text = "\n".join(method.module.lines[method.node.lineno - 1 : method.node.end_lineno])
    if "padding" not in text or "labels" not in text:
        return None
    reader.refusals.guarded += 1
    place = padded_labels(reader, Bound(data, "__getitem__"), node)
    reader.refusals.guarded -= 1
    return place if isinstance(place, Place) else None


def leaves_labels(collator: Value | None) -> bool:
    """True for what makes batches of the labels as they are: it is none of the program's own, and makes no labels itself."""
    if collator is None or (isinstance(collator, Constant) and collator.value is None):
        return True
    name = collator.kind if isinstance(collator, Instance) else collator.name if isinstance(collator, Library) else ""
    return name.rpartition(".")[2] in LEAVING


def note_padded(call: LibraryCall, loader: Loader) -> None:
    """A loader of torch's over such labels, in a program that nowhere speaks of what a loss ignores."""
    if not leaves_labels(call.get("collate_fn", COLLATE)) or not call.arguments.exact:
        return
    place = loader.dataset.padded_labels if loader.dataset is not None else None
    place = place or labels_of_items(call.reader, call.get("dataset", 0), call.node)
    if place is not None and not any(MASKED.search(source.text) for source in call.reader.modules.values()):
        loader.settings["padded_labels"] = Known(True, place=place)


@table.method(TOKENIZER, "encode_plus", "batch_encode_plus")
@table.invoke(TOKENIZER)
def tokenize(call: LibraryCall) -> Value:
    """tokenizer(text, padding="max_length"): read only inside a function that is mapped over a data set."""
    if not _MAPPING.get(call.reader):
        return Opaque("what a tokenizer gives")
    padding = call.get("padding") or call.get("pad_to_max_length")
    padded = call.place if isinstance(padding, Constant) and padding.value in PADDING else None
    return call.reader.instance("transformers.BatchEncoding", role=ENCODING, node=call.node, data={"items": {}, "padded": padded})


@table.method(ENCODING, "__getitem__", "get", "pop")
def part(call: LibraryCall) -> Value:
    """encoding["input_ids"]"""
    key = call.reader.plain(call.arguments.positional[0]) if call.arguments.positional else None
    return _part(call.reader, call.this, key)


@table.attribute(ENCODING, "input_ids")
def ids(reader: Reader, instance: Instance) -> Value:
    """encoding.input_ids"""
    return _part(reader, instance, "input_ids")


def _part(reader: Reader, encoding: Instance, key: object) -> Value:
    held: dict[str, Value] = encoding.data["items"]
    if isinstance(key, str) and key in held:
        return held[key]
    if key != "input_ids":
        return Opaque("a part of what a tokenizer gives")
    made = reader.instance("transformers.TokenIds", role=IDS, data={"padded": encoding.data["padded"]})
    reader.store.write(encoding.data, "items", {**held, key: made})
    return made


@table.method(ENCODING, "__setitem__")
def set_part(call: LibraryCall) -> Value:
    """encoding["labels"] = ..."""
    key, value = call.reader.plain(call.arguments.positional[0]), call.arguments.positional[1]
    if isinstance(key, str):
        call.reader.store.write(call.this.data, "items", {**call.this.data["items"], key: value})
    return NONE


@table.method(IDS, "copy", "clone", "tolist", "flatten", "squeeze", "view", "reshape", "long", "to", "detach", "__getitem__")
def same_ids(call: LibraryCall) -> Value:
    """ids.copy(): the same tokens, the padding among them."""
    return call.reader.instance("transformers.TokenIds", role=IDS, data=dict(call.this.data))


@table.method(IDS, "__setitem__", "masked_fill_")
def masked(call: LibraryCall) -> Value:
    """labels[labels == pad] = -100"""
    call.reader.store.write(call.this.data, "padded", None)
    return NONE
