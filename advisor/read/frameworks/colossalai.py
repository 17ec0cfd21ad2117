"""ColossalAI: its launch functions seed, see seeding.py."""

from __future__ import annotations

from advisor.read.frameworks import seeding

__all__ = ["seeding"]
