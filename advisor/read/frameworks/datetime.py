"""datetime: the clock (see time.py)."""

from __future__ import annotations

from advisor.read.frameworks import time

__all__ = ["time"]
