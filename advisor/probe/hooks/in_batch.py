"""Watches losses that compare the samples of a batch with each other, with the temperature and how often a step does it."""

from __future__ import annotations

import torch

from advisor.model.batches import InBatch
from advisor.model.recipe import Loss
from advisor.model.source import Place
from advisor.probe.run import Run

FEWEST = 4  # rows; fewer labels may be in order by chance
SCALED = ("DivBackward0", "MulBackward0")
PRODUCTS = ("MmBackward0", "ViewBackward0", "UnsafeViewBackward0", "BmmBackward0")


class Comparisons:
    """In-batch comparisons by loss."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.by_loss: dict[int, InBatch] = {}
        self.turns: dict[int, dict[int, set[int]]] = {}  # id(loss fact) -> step -> backward passes so far

    def seen(self, fact: Loss, place: Place, scores: torch.Tensor, target: torch.Tensor) -> None:
        """A cross-entropy of a matrix: each sample of the loader's batch beside each other, its label its own place."""
        run = self.run
        rows = int(target.shape[0])
        if not run.passes or run.passes[-1].rows != rows or rows < FEWEST or scores.shape != (rows, rows):
            return
        if not torch.equal(target, torch.arange(rows, device=target.device, dtype=target.dtype)):
            return
        known = self.by_loss.setdefault(id(fact), InBatch(fact, place, rows))
        known.rows = max(known.rows, rows)
        if known.temperature is None:
            known.temperature = temperature(scores)
        self.turns.setdefault(id(fact), {}).setdefault(run.session.step, set()).add(run.backwards)

    def found(self) -> list[InBatch]:
        """Each with its backward passes per step; the last step may not be over."""
        for key, known in self.by_loss.items():
            steps = self.turns[key]
            known.turns = [len(passes) for step, passes in steps.items() if step < self.run.session.step]
        return list(self.by_loss.values())


def temperature(scores: torch.Tensor) -> float | None:
    """What cosines were divided by, or one over what they were multiplied by; 1 where they are given as they are."""
    node = scores.grad_fn
    while node is not None and node.name() == "TBackward0" and node.next_functions:
        node = node.next_functions[0][0]
    if node is None:
        return None
    scale = 1.0
    if node.name() in SCALED:
        saved = [getattr(node, name, None) for name in ("_saved_other", "_saved_self")]
        numbers = [value for value in saved if isinstance(value, torch.Tensor) and value.numel() == 1]
        if not numbers:
            return None
        scale = float(numbers[0].detach())
        scale = 1 / scale if node.name() == "DivBackward0" else scale
    elif node.name() not in PRODUCTS:
        return None
    largest = float(scores.detach().abs().max())
    return 1 / scale if scale > 0 and largest / scale <= 1.01 else None
