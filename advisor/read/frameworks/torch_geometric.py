"""torch_geometric: its layers, and its seeds (see seeding.py)."""

from __future__ import annotations

from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.layers import foreign
from advisor.read.python.values import Value

table.CLASS_ROLES["torch_geometric.nn.MessagePassing"] = "module"
table.ALIASES["torch_geometric.nn.conv.MessagePassing"] = "torch_geometric.nn.MessagePassing"
WRAPPERS = frozenset({"DataParallel", "Sequential", "to_hetero", "summary"})  # they hold layers that are handed to them


@table.prefix("torch_geometric.nn")
def layer(call: LibraryCall) -> Value | None:
    """Layers by their class."""
    return None if call.name.rpartition(".")[2] in WRAPPERS else foreign(call)


__all__ = ["seeding"]
