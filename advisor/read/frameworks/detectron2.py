"""detectron2: its configs are yacs nodes; its seeds, see seeding.py."""

from __future__ import annotations

from advisor.read.frameworks import seeding, yacs

__all__ = ["seeding", "yacs"]
