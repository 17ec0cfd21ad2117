"""fvcore: its CfgNode is that of yacs."""

from __future__ import annotations

from advisor.read.frameworks import yacs

__all__ = ["yacs"]
