"""submitit: see multiprocessing.py."""

from __future__ import annotations

from advisor.read.frameworks import multiprocessing

__all__ = ["multiprocessing"]
