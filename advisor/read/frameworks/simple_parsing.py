"""simple_parsing: see tyro.py for parse(), argparse.py for its parser."""

from __future__ import annotations

from advisor.read.frameworks import argparse, tyro

__all__ = ["argparse", "tyro"]
