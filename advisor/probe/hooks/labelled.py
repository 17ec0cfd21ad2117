"""Watches with which label each sample is trained on, so that one that comes again can be told from one whose label is drawn anew."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.batches import Relabelled
from advisor.model.recipe import Loss
from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.probe.run import LossSeen, Run, tensors

NUMBERS = 64  # of a sample that are kept to know it again
LABELS = 16  # of its labels, where it has one for each pixel or token
KEPT = 400  # batches


@dataclass
class Batch:
    """One training batch: some numbers of each sample and its labels, still on their device."""

    fact: Loss
    place: Place
    step: int
    begun: Any  # the pass over the loader that it came from
    samples: list[torch.Tensor]
    labels: torch.Tensor


class Labelled:
    """The batches of all classifying losses."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.batches: list[Batch] = []

    def seen(self, fact: Loss, place: Place, target: torch.Tensor, classes: int, seen: LossSeen) -> None:
        """A loss compares what the model returned for a batch with its labels. Sample by sample, or it is not looked at."""
        run, call = self.run, seen.call
        now = run.passes[-1] if run.passes else None
        if call is None or now is None or not call.training or not now.rows or now.rows < 2 or len(self.batches) >= KEPT:
            return
        rows = now.rows
        given, output = tensors((call.args, call.kwargs)), call.outputs[seen.output]()
        if output is None or not given or target.numel() * classes != output.numel():
            return
        if output.shape == (rows, rows) or any(not tensor.dim() or tensor.shape[0] != rows for tensor in (*given, output)):
            return
        if rows in output.shape[1:-1] or any(rows in tensor.shape[1:] or tensor.layout is not torch.strided for tensor in given):
            return  # which dimension the samples are is not known
        step, samples = run.session.step + 1, [some(tensor, rows, NUMBERS) for tensor in given]
        self.batches.append(Batch(fact, place, step, now, samples, some(target, rows, LABELS)))

    def again(self) -> list[Relabelled]:
        """By loss: the samples that came in two passes, and how many of them had another label. What comes twice in a pass is no one sample."""
        result = []
        for fact in dict.fromkeys(batch.fact for batch in self.batches):
            mine = [batch for batch in self.batches if batch.fact is fact]
            known: dict[Any, list[tuple[int, int, list[int]]]] = {}
            for batch in mine:
                marks = zip(*(tensor.tolist() for tensor in batch.samples))
                for mark, labels in zip(marks, batch.labels.tolist()):
                    known.setdefault(str(mark), []).append((batch.begun.number, batch.step, labels))
            whole = {one.number for one in (batch.begun for batch in mine) if one.over and one.batches == sum(b.begun is one for b in mine)}
            pairs = [(seen[0], seen[1]) for seen in known.values() if len(seen) > 1 and seen[0][0] in whole and _once(seen)]
            changed = [(before, after) for before, after in pairs if before[2] != after[2]]
            if changed:
                (_, first, old), (_, second, new) = changed[0]
                label, other = next((a, b) for a, b in zip(old, new) if a != b)
                result.append(Relabelled(fact, mine[0].place, len(pairs), len(changed), first, second, label, other))
        return result


def _once(seen: list[tuple[int, int, list[int]]]) -> bool:
    """True when no pass holds it twice."""
    passes = [number for number, _, _ in seen]
    return len(set(passes)) == len(passes)


def some(tensor: torch.Tensor, rows: int, count: int) -> torch.Tensor:
    """A copy of a few numbers of each row."""
    flat = tensor.detach().reshape(rows, -1)
    return flat[:, :: (flat.shape[1] // count) | 1][:, :count].clone()  # an odd stride meets every column of images


def install(run: Run) -> None:
    """Hand the record to whoever watches the losses."""
    run.labelled = Labelled(run)  # type: ignore[attr-defined]
