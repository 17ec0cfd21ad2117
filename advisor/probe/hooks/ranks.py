"""Watches the ranks of a distributed run: after the first steps each writes checksums of its weights and batches; rank 0 compares.

Files in a shared folder, no collectives: a rank that does not come by never keeps another one waiting.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from typing import Any

import torch

from advisor.model.source import Place
from advisor.model.trace import Replicas
from advisor.probe.record import local
from advisor.probe.run import Run

STEPS = 10
PATIENCE = 10.0  # seconds that rank 0 waits for the others at the end


class Ranks:
    """Checksums of this rank, step by step."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.weights: list[dict[str, float]] = []
        self.batches: list[str] = []
        self.first: Any = None

    def stepped(self, optimizer: Any, step: int) -> None:
        """After a step of the first optimizer that steps."""
        if not torch.distributed.is_available() or not torch.distributed.is_initialized() or torch.distributed.get_world_size() < 2:
            return
        self.first = self.first if self.first is not None else optimizer
        if optimizer is self.first and step <= STEPS:
            self.run.session.watch("ranks", self._sum, optimizer)

    def _sum(self, optimizer: Any) -> None:
        watched = self.run.optimizers.watch(optimizer)  # type: ignore[attr-defined]
        self.weights.append({held.path: float(local(held.parameter.detach()).double().sum()) for held in watched.held})
        passes = self.run.passes
        mark = passes[-1].signatures[-1] if passes and passes[-1].signatures else ""
        self.batches.append(mark or self._inputs())

    def _inputs(self) -> str:
        from advisor.probe.hooks.loaders import signature

        call = self.run.last_call
        return signature((call.args, call.kwargs)) if call is not None else ""

    @staticmethod
    def folder() -> str:
        """A folder that all ranks of this launch agree on."""
        words = [os.environ.get(name, "") for name in ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT")] + [str(os.getppid())]
        return os.path.join(tempfile.gettempdir(), "advisor-ranks-" + hashlib.sha256("|".join(words).encode()).hexdigest()[:16])

    def write(self, rank: int) -> None:
        """Leave what this rank saw for rank 0."""
        os.makedirs(self.folder(), exist_ok=True)
        draft = os.path.join(self.folder(), f".{rank}")
        with open(draft, "w", encoding="utf-8") as file:
            json.dump({"weights": self.weights, "batches": self.batches}, file)
        os.replace(draft, os.path.join(self.folder(), f"{rank}.json"))

    def compare(self, world: int, place: Place, loader: Place | None) -> Replicas | None:
        """Read what the others left, as far as they do in time."""
        import shutil

        others: list[dict[str, Any]] = []
        end = time.monotonic() + PATIENCE
        for rank in range(1, world):
            path = os.path.join(self.folder(), f"{rank}.json")
            while not os.path.exists(path) and time.monotonic() < end:
                time.sleep(0.1)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    others.append(json.load(file))
        shutil.rmtree(self.folder(), ignore_errors=True)
        if not others:
            return None
        found = Replicas(place, world, loader=loader)
        for step, (mine, batch) in enumerate(zip(self.weights, self.batches), 1):
            for other in others:
                if step > len(other["weights"]):
                    continue
                for path, value in mine.items():
                    gap = abs(value - other["weights"][step - 1].get(path, value)) / (abs(value) + 1e-12)
                    if gap > found.gap and found.step in (None, step):
                        found.step, found.gap, found.path = step, gap, path
            if batch and any(step <= len(other["batches"]) for other in others):
                found.compared += 1
                found.same_batches += any(step <= len(other["batches"]) and other["batches"][step - 1] == batch for other in others)
        return found


def install(run: Run) -> None:
    """Look after each step."""
    ranks = Ranks(run)
    run.ranks = ranks  # type: ignore[attr-defined]
    run.session.at_step.append(ranks.stepped)
