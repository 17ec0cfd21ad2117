"""typer: see click.py."""

from __future__ import annotations

from advisor.read.frameworks import click, tyro

__all__ = ["click", "tyro"]
