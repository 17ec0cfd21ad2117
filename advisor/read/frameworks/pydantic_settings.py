"""pydantic-settings: see pydantic.py."""

from __future__ import annotations

from advisor.read.frameworks import pydantic

__all__ = ["pydantic"]
