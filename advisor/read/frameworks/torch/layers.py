"""torch.nn: layers with their settings, and what can be read of and written to them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

from advisor.model.events import Kind
from advisor.model.layers import BATCH_NORMS
from advisor.model.recipe import Module, RefusedCall
from advisor.model.source import Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.layer_signatures import LAYERS
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Value, setting

RECURRENT = frozenset({"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"})
PARTS = ("encoder_layer", "decoder_layer", "norm", "custom_encoder", "custom_decoder")  # arguments that are modules themselves
ANYTHING = ("Identity",)  # what it is given is left unused
SIZES = frozenset({  # that have to be whole numbers
    "in_features", "out_features", "in_channels", "out_channels", "input_size", "hidden_size", "num_embeddings", "embedding_dim", "embed_dim",
})  # fmt: skip
SURE = ("default", "flag")
WRITTEN = ("p", "momentum", "eps", "track_running_stats", "inplace", "dropout", "padding_idx", "negative_slope", "num_batches_tracked")
READ = (
    "in_features", "out_features", "in_channels", "out_channels", "kernel_size", "num_features", "embedding_dim", "num_embeddings", "hidden_size",
    "input_size", "num_layers", "normalized_shape", "embed_dim", "num_heads", "bidirectional", "batch_first", "p",
)  # fmt: skip


def construct(call: LibraryCall, name: str) -> Value:
    """A layer with every setting."""
    fact = Module(call.place, kind=f"torch.nn.{name}")
    if name in BATCH_NORMS:
        fact.from_init = getattr(call.reader.frame.function, "name", "") == "__init__"
    describe(call, fact, name)
    return made(call, fact)


def describe(call: LibraryCall, fact: Module, name: str) -> None:
    """Settings, kind of recurrence and parts of a layer."""
    names = signature(LAYERS[name])
    _refuse(call, name, names)
    fact.settings = call.settings(names)
    if name in RECURRENT:
        fact.recurrence = "step" if name.endswith("Cell") else "sequence"
    for position, key in enumerate(names):
        if key in PARTS:
            part = call.get(key, position)
            if isinstance(part, Instance) and isinstance(part.fact, Module):
                fact.children[key] = part.fact
                fact.settings.pop(key)
            elif isinstance(part, Opaque):
                fact.complete, fact.why = False, f"`{key}`: {part.why}"


def _refuse(call: LibraryCall, name: str, taken: Collection[str]) -> None:
    """Notes a layer that is built, under its own name, with a keyword that it does not have: `nn.ReLU(inline=True)`."""
    node, reader = call.node, call.reader
    if not isinstance(node, ast.Call) or reader.refusals.guarded or name in ANYTHING or any(label not in SURE for _, label in reader.conditions):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    unexpected = tuple(keyword.arg for keyword in node.keywords if keyword.arg is not None and keyword.arg not in taken)
    if unexpected and called == name:
        reader.refusals.note_once(reader, RefusedCall(call.place, callee=name, unexpected=unexpected))
    elif called == name:
        _refuse_float(call, name, list(taken))


def _refuse_float(call: LibraryCall, name: str, taken: list[str]) -> None:
    """Notes a layer that is to be of the size 32.0, as `hidden / 2` is: one tells of all in its file."""
    sizes = (key for key in taken if key in SIZES or (key == "num_features" and name in BATCH_NORMS))
    for key in sizes:
        value, written = call.get(key, taken.index(key)), _argument(call.node, taken.index(key), key)
        divided = isinstance(value, Opaque) and isinstance(written, ast.BinOp) and isinstance(written.op, ast.Div)
        if divided or (isinstance(value, Constant) and type(value.value) is float):
            known = [one for one in call.reader.recipe.refused_calls if one.size is not None and one.place.file == call.place.file]
            if not known and value is not None:
                counts = Known(call.reader.text(written)) if divided and written is not None else setting(value)
                call.reader.refusals.note_once(call.reader, RefusedCall(call.place, callee=name, counts=counts, size=key))
            return


def _argument(node: ast.AST, position: int, key: str) -> ast.expr | None:
    """An argument as it stands in the call."""
    if not isinstance(node, ast.Call) or any(isinstance(part, ast.Starred) for part in node.args):
        return None
    named = next((keyword.value for keyword in node.keywords if keyword.arg == key), None)
    return named or (node.args[position] if position < len(node.args) else None)


def made(call: LibraryCall, fact: Module, data: dict[str, Any] | None = None) -> Instance:
    """Registers a module that a library call built."""
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(fact.kind, role="module", fact=fact, node=call.node, data=data or {})


def foreign(call: LibraryCall) -> Value | None:
    """A layer of another library, known by its class alone; functions beside them are none."""
    if not call.name.rpartition(".")[2][:1].isupper():
        return None
    return made(call, Module(call.place, kind=call.name, complete=False, why="a layer of a library"))


def _register(name: str) -> None:
    table.FUNCTIONS[f"torch.nn.{name}"] = lambda call: construct(call, name)
    table.CLASS_ROLES[f"torch.nn.{name}"] = "module"


for _name in LAYERS:
    _register(_name)
table.CLASS_ROLES["torch.nn.Module"] = "module"


@table.function("torch.nn.Module")
def module(call: LibraryCall) -> Value:
    """nn.Module() itself, used as a holder."""
    return made(call, Module(call.place, kind="torch.nn.Module", user_class=True))


@table.function("torch.nn.Embedding.from_pretrained", "torch.nn.EmbeddingBag.from_pretrained")
def from_pretrained(call: LibraryCall) -> Value:
    """Embedding.from_pretrained(vectors, freeze=True)"""
    fact = Module(call.place, kind=call.name.rpartition(".")[0], pretrained=Known(True, place=call.place), placed=call.place)  # where they are
    given = signature("embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False")
    fact.settings = call.settings(given, skip=1)
    frozen = fact.settings.pop("freeze")
    fact.trainable = "unknown" if not isinstance(frozen, Known) else "no" if frozen.value else "yes"
    return made(call, fact)


# --- construction of classes of the project ----------------------------------------------------------------------


@table.method("module", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(...): a class derived from a layer has its settings."""
    this = call.this
    name = this.kind.removeprefix("torch.nn.")
    if isinstance(this.fact, Module) and name in LAYERS and this.kind != name:
        describe(call, this.fact, name)
    return NONE


@table.function("torch.nn.Module.__init__", *(f"torch.nn.{layer}.__init__" for layer in LAYERS))
def init_by_name(call: LibraryCall) -> Value:
    """nn.Module.__init__(self): nothing is handed out of sight."""
    return NONE


# --- attributes --------------------------------------------------------------------------------------------------


def _read(name: str) -> Any:
    def reader_of(reader: Reader, instance: Instance) -> Value | None:
        fact = instance.fact
        found = fact.settings.get(name) if isinstance(fact, Module) and not fact.user_class else None
        if isinstance(found, Known):
            return Constant(found.value, found.origin, found.weak, found.place, found.default)
        return Opaque(f"`{name}` of {instance.kind}", "int") if found is not None or instance.cls is None else None

    return reader_of


def _written(name: str) -> Any:
    def write(reader: Reader, instance: Instance, value: Value, node: ast.AST) -> None:
        fact = instance.fact
        if isinstance(fact, Module) and not fact.user_class and name in fact.settings:
            changed: Setting = setting(value, reader.place(node))
            if any(label != "default" for _, label in reader.conditions):
                changed = Unknown(f"it may be set to {reader.text(node)} later"[:120])
            fact.settings = {**fact.settings, name: changed}

    return write


for _name in READ:
    table.ATTRIBUTES["module", _name] = _read(_name)
for _name in WRITTEN:
    table.WRITES["module", _name] = _written(_name)
