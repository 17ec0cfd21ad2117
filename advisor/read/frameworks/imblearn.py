"""imblearn: see sklearn.py."""

from __future__ import annotations

from advisor.read.frameworks import sklearn

__all__ = ["sklearn"]
