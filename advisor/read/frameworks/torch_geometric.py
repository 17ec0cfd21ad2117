"""torch_geometric: its layers, the transforms that split a graph at random, and its seeds (see seeding.py)."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Split
from advisor.model.source import Known
from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.cuts import identity
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.layers import foreign
from advisor.read.python.values import Tensor, Value

table.CLASS_ROLES["torch_geometric.nn.MessagePassing"] = "module"
table.ALIASES["torch_geometric.nn.conv.MessagePassing"] = "torch_geometric.nn.MessagePassing"
WRAPPERS = frozenset({"DataParallel", "Sequential", "to_hetero", "summary"})  # they hold layers that are handed to them
SPLITTERS = "torch_geometric.transforms.RandomNodeSplit", "torch_geometric.transforms.RandomLinkSplit"


@table.prefix("torch_geometric.nn")
def layer(call: LibraryCall) -> Value | None:
    """Layers by their class."""
    return None if call.name.rpartition(".")[2] in WRAPPERS else foreign(call)


@table.function(*SPLITTERS)
def splitter(call: LibraryCall) -> Value:
    """RandomNodeSplit(num_val=0.1): splits what it is called on."""
    return call.reader.instance(call.name, role="graph-split", node=call.node)


@table.invoke("graph-split")
def split(call: LibraryCall) -> Value | None:
    """The graph with masks, drawn from torch's numbers."""
    given = call.arguments.positional[0] if call.arguments.positional else None
    fact = Split(call.place, kind=call.this.kind, shuffle=Known(True), data=identity(given))
    call.reader.emit(Kind.SPLIT, call.node, call.reader.record(fact))
    call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.this.kind, use="split", generator=False)
    return given if isinstance(given, Tensor) else None


__all__ = ["seeding"]
