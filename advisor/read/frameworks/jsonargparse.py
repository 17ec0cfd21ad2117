"""jsonargparse: see tyro.py for its CLI, argparse.py for its parsers."""

from __future__ import annotations

from advisor.read.frameworks import argparse, tyro

__all__ = ["argparse", "tyro"]
