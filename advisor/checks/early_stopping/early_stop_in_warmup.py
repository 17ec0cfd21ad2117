"""Early stopping whose patience ends while the learning rate is still warming up."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.stopping import epochs_waited, patience_of, written_at
from advisor.model.warmup import warmup_epochs


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """The patience against the longest warm-up, both in epochs."""
    patience, waited = patience_of(stop), epochs_waited(stop)
    for scheduler in ctx.recipe.schedulers:
        warmup = warmup_epochs(scheduler, ctx.recipe)
        if warmup is None or patience is None or waited is None:
            continue
        if waited < warmup:
            yield ctx.finding(
                "rate-still-rising",
                at=written_at(patience[0], stop),
                value_from=patience[0],
                patience=waited,
                warmup=warmup,
                line=scheduler.place,
            )
            return
