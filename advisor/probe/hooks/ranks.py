"""Watches the ranks of a distributed run: after the first steps each writes checksums of its weights and batches; rank 0 compares.

No collectives: a rank that does not come by never keeps another one waiting.
"""

from __future__ import annotations

import time
from typing import Any

import torch

from advisor.model.source import Place
from advisor.model.trace import Replicas
from advisor.probe import rendezvous
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
        self.rank: int | None = None  # None: there is one process only
        self.world = 1

    def stepped(self, optimizer: Any, step: int) -> None:
        """After a step of the first optimizer that steps."""
        if not torch.distributed.is_available() or not torch.distributed.is_initialized() or torch.distributed.get_world_size() < 2:
            return
        if self.rank is None:
            self.rank, self.world = torch.distributed.get_rank(), torch.distributed.get_world_size()
            self.run.session.agree = self._agree
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

    def _agree(self, wanted: str | None, step: int) -> str | None:
        """After a step: shall this be the last one? Who is asked to stop names a step that no other rank has reached yet.

        Ranks that exchange gradients are never more than one step apart.
        """
        last = rendezvous.read("last")
        if last is None and wanted is not None:
            last = [step + 2, wanted]
            rendezvous.leave("last", last)
        return last[1] if last is not None and step >= last[0] else None

    def write(self, rank: int) -> None:
        """Leave what this rank saw for rank 0."""
        rendezvous.leave(f"rank-{rank}", {"weights": self.weights, "batches": self.batches})

    def compare(self, world: int, place: Place, loader: Place | None) -> Replicas | None:
        """Read what the others left, as far as they do in time."""
        others: list[dict[str, Any]] = []
        end = time.monotonic() + PATIENCE
        for rank in range(1, world):
            left = rendezvous.read(f"rank-{rank}", end)
            if left is not None:
                others.append(left)
        rendezvous.remove()
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
