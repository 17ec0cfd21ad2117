"""lightning_fabric is the import name of Fabric as a package of its own: the tables stand in lightning/."""

from __future__ import annotations

from advisor.read.frameworks import lightning as _lightning
from advisor.read.frameworks import table

table.VERSIONS["lightning_fabric"] = table.VERSIONS["lightning"]
table.RENAMES["lightning_fabric"] = _lightning.canonical
