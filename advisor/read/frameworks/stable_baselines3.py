"""stable-baselines3: it owns its loop; its seeds, see seeding.py; everything else is quiet."""

from __future__ import annotations

from advisor.read.frameworks import quiet, seeding

quiet.describe("stable_baselines3")
__all__ = ["seeding"]
