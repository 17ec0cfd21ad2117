"""Training batches that come sorted by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """In a shuffled order the label changes at most samples; sorted, once per class."""
    for labels in trace.labels:
        line = [label for batch in labels.batches for label in batch]
        counts = Counter(line)
        if len(line) < ctx.limit("samples") or labels.classes < 2 or not labels.from_loader or len(labels.batches) < ctx.limit("batches"):
            continue
        changes = sum(one != two for one, two in pairwise(line))
        shuffled = len(line) * (1 - sum((count / len(line)) ** 2 for count in counts.values()))
        if len(counts) == 1:
            yield ctx.finding("one-class", at=labels.place, label=line[0], batches=len(labels.batches), samples=len(line))
        elif changes < ctx.limit("share") * shuffled:
            yield ctx.finding("sorted", at=labels.place, changes=changes, samples=len(line), classes=len(counts))
