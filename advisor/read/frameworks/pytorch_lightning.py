"""pytorch_lightning is the older import name of lightning.pytorch: the tables stand in lightning.py."""

from __future__ import annotations

from advisor.read.frameworks import lightning as _lightning
from advisor.read.frameworks import table

table.VERSIONS["pytorch_lightning"] = table.VERSIONS["lightning"]
table.RENAMES["pytorch_lightning"] = _lightning.canonical
