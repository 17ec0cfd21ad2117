"""ipdb: see pdb.py."""

from __future__ import annotations

from advisor.read.frameworks import pdb

__all__ = ["pdb"]
