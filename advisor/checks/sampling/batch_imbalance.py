"""Batches whose classes are clumped: each batch holds other classes than the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Chi-square of each batch against all of them; drawn at random it is about one per degree of freedom."""
    for labels in trace.labels:
        batches = [batch for batch in labels.batches if len(batch) >= ctx.limit("size")]
        everything = Counter(label for batch in batches for label in batch)
        total, classes = sum(everything.values()), len(everything)
        if len(batches) < ctx.limit("batches") or classes < 2 or labels.sampler is not None:
            continue
        excess = fmean(_chi_square(Counter(batch), everything, total) for batch in batches) / (classes - 1)
        if excess > ctx.limit("excess"):
            share = fmean(max(Counter(batch).values()) / len(batch) for batch in batches)
            yield ctx.finding("clumped", at=labels.place, share=100 * share, usual=100 * max(everything.values()) / total, excess=excess)


def _chi_square(batch: Counter[int], everything: Counter[int], total: int) -> float:
    size = sum(batch.values())
    return sum((batch[label] - size * count / total) ** 2 / (size * count / total) for label, count in everything.items())
