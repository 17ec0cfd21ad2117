"""configargparse: see argparse.py; its config files are read as options that may be overridden."""

from __future__ import annotations

from advisor.read.frameworks import argparse

__all__ = ["argparse"]
