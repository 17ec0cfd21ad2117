"""A patience so short that noise alone ends the run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.stopping import epochs_counted, epochs_waited, is_judged, patience_of, written_at


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """The patience in checks against a long run, and as a share of it."""
    if not is_judged(stop, ctx.recipe):
        return
    patience, epochs = patience_of(stop), epochs_counted(stop, ctx.recipe)
    if patience is None or epochs is None:
        ctx.skip("the patience or the number of epochs is not known", stop)
        return
    if stop.unit not in ("epoch", "evaluation"):
        return
    known, checks = patience
    if checks <= ctx.limit("checks") and epochs >= ctx.limit("long-run"):
        yield ctx.finding("few-checks", at=written_at(known, stop), value_from=known, patience=checks, epochs=epochs)
        return
    waited = epochs_waited(stop)
    bounded = ctx.limit("bounded-from") <= epochs < ctx.limit("unbounded-from")
    if waited is not None and bounded and checks < ctx.limit("enough") and waited / epochs < ctx.limit("share"):
        yield ctx.finding(
            "small-share",
            at=written_at(known, stop),
            severity="hint" if ctx.recipe.schedulers.absent else None,  # at a constant rate the number of epochs may be a mere ceiling
            value_from=known,
            patience=checks,
            epochs=epochs,
            waited=waited,
            part=waited / epochs,
        )
