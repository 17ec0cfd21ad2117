"""Early stopping that cannot stop the run, or counts something else than meant."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.source import first
from advisor.model.stopping import epochs_counted, epochs_waited, is_judged, is_length_of_run, patience_of, written_at


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """The wiring first, then the patience against the length of the run."""
    if not stop.asked and ctx.recipe.trains:
        yield ctx.finding("never-asked", at=stop)
    if not is_judged(stop, ctx.recipe):
        return
    if stop.escaped is not None or not ctx.recipe.whole:
        ctx.skip(f"it is handed to {stop.escaped}" if stop.escaped else "only a part of the program was read", stop)
        return
    if not stop.stops:
        yield ctx.finding("decision-unused", at=stop)
    elif not stop.raised:
        yield ctx.finding("never-counted", at=stop)
    elif not stop.reset:
        yield ctx.finding("never-reset", at=stop)
    else:
        yield from too_patient(stop, ctx)


def too_patient(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """A patience as long as the run."""
    patience, waited, epochs = patience_of(stop), epochs_waited(stop), epochs_counted(stop, ctx.recipe)
    if patience is None or waited is None or epochs is None:
        ctx.skip("the patience or the number of epochs is not known", stop)
    elif waited >= epochs:
        run = first(ctx.recipe.epochs)
        if stop.flag_off and run is not None and (run.weak or patience[0].weak):
            ctx.skip("it is only there where an option asks for it that is off by default: who asks for it may ask for a longer run", stop)
            return
        alike = waited == epochs and patience[0].weak and run is not None and run.weak  # two defaults that leave it to the user
        alike = alike or stop.always_on or patience[0].default is not None  # nobody wrote it, or it is the way to switch it off
        alike = alike or epochs < ctx.limit("shortest") or is_length_of_run(patience[0], run)
        case = "switched-off" if alike or waited > epochs * ctx.limit("off-factor") else "patience-beyond-run"
        yield ctx.finding(case, at=written_at(patience[0], stop), value_from=patience[0], patience=waited, epochs=epochs)
