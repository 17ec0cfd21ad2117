"""addict: see easydict.py."""

from __future__ import annotations

from advisor.read.frameworks import easydict

__all__ = ["easydict"]
