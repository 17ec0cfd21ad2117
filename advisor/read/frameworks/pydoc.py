"""pydoc: its `locate` finds an object by its dotted name."""

from __future__ import annotations

from advisor.read.frameworks import importlib

__all__ = ["importlib"]
