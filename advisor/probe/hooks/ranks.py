"""Watches the ranks of a distributed run: after the first steps each writes checksums of its weights and batches; rank 0 compares.

No collectives: a rank that does not come by never keeps another one waiting.
"""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from advisor.model.source import Place
from advisor.model.trace import Replicas, Series
from advisor.probe import rendezvous
from advisor.probe.run import Run

STEPS = 10
NORMS = ("gradient-explosion", "gradient-spikes", "gradient-vanishing", "clip-always-active")
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
        self.weights.append({held.path: float(held.parameter.detach().double().sum()) for held in watched.held if not held.sharded})
        passes = self.run.passes
        mark = passes[-1].signatures[-1] if passes and passes[-1].signatures else ""
        self.batches.append((mark or self._inputs()) if self._own_data(watched) else "")

    def _own_data(self, watched: Any) -> bool:
        """True where each rank should train on samples of its own: not where ranks share one model's work."""
        meshes = [mesh for held in watched.held if (mesh := getattr(held.parameter, "device_mesh", None)) is not None]
        spread = any(type(part).__name__.startswith("FSDP") for root, _ in self.run.inventory.roots.values() for part in root.modules())
        return not meshes or (spread and all(mesh.ndim == 1 for mesh in meshes))

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
        parts = {f"{series.name} {series.of}": series.values for series, _ in self._parts()}
        rendezvous.leave(f"rank-{rank}", {"weights": self.weights, "batches": self.batches, "parts": parts})

    def _parts(self) -> list[tuple[Series, Series]]:
        """The norms of what this rank holds of sharded weights, each with the series that they are a part of."""
        clips, found = self.run.clips, []  # type: ignore[attr-defined]
        for watched in self.run.optimizers.watched.values():  # type: ignore[attr-defined]
            if any(held.sharded for held in watched.held):
                found += [(watched.shards, watched.norm), *((held.gradient, held.gradient) for held in watched.held if held.sharded)]
        return found + [(series, series) for key, series in clips.norms.items() if key in clips.shards]

    def others(self, world: int) -> list[dict[str, Any]]:
        """What the other ranks left, as far as they do in time."""
        end = time.monotonic() + PATIENCE
        found = [rendezvous.read(f"rank-{rank}", end) for rank in range(1, world)]
        rendezvous.remove()
        return [left for left in found if left is not None]

    def join(self, others: list[dict[str, Any]]) -> None:
        """Norms over all ranks for weights that each holds a part of; without the word of one of them they are not known."""
        for part, whole in self._parts():
            rest = [left["parts"].get(f"{part.name} {part.of}", ()) for left in others]
            if len(rest) == self.world - 1 and all(len(values) >= len(part.values) for values in rest):
                pairs = zip(whole.values, part.values, *rest)
                whole.values = [math.sqrt(max(every**2 - mine**2, 0.0) + mine**2 + sum(one**2 for one in more)) for every, mine, *more in pairs]
            else:
                whole.steps, whole.values = [], []
                self.run.session.skip("gradient norms of weights that are spread over the ranks: not every rank left its part", None, NORMS)

    def compare(self, others: list[dict[str, Any]], place: Place, loader: Place | None) -> Replicas | None:
        """Weights and batches of the ranks, step by step."""
        if not others:
            return None
        found = Replicas(place, self.world, loader=loader)
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
