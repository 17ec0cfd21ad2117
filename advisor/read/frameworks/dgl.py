"""dgl: its layers, and its seeds (see seeding.py)."""

from __future__ import annotations

from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.torch.layers import foreign

table.PREFIXES["dgl.nn"] = foreign

__all__ = ["seeding"]
