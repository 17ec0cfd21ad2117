"""Accumulated gradients of a loss that compares the samples of each small batch with each other."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.trace import Trace


def check(trace: Trace, ctx: Context) -> Iterator[Finding]:
    """Comparisons that several backward passes of a step start from, the same number in every step."""
    for compared in trace.in_batch:
        turns = min(compared.turns, default=0)
        if turns > 1 and turns == max(compared.turns):
            case = "compared" if compared.rows < ctx.limit("few") else "many"
            others, more = compared.rows - 1, turns * compared.rows - 1
            yield ctx.finding(case, at=compared.place, turns=turns, rows=compared.rows, others=others, more=more)
