"""simple_parsing: see tyro.py."""

from __future__ import annotations

from advisor.read.frameworks import tyro

__all__ = ["tyro"]
