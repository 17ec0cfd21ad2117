"""fvcore: its CfgNode is that of yacs, its checkpointers are Detectron2's."""

from __future__ import annotations

from advisor.read.frameworks import detectron2, yacs

__all__ = ["detectron2", "yacs"]
