"""mmseg: see mmengine.py."""

from __future__ import annotations

from advisor.read.frameworks import mmengine

__all__ = ["mmengine"]
