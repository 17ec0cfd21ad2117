"""A rate of zero or less that nothing raises."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as EventContext
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import training_loop
from advisor.model.kinds import is_test
from advisor.model.rates import rates, rates_known, turns_with, unsettled
from advisor.model.recipe import Optimizer, Restore
from advisor.model.source import Place


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """An optimizer with a negative rate, or with none above zero: a single group at zero is frozen on purpose."""
    if is_test(ctx.recipe.entry, ctx.recipe) or is_test(optimizer.place.file, ctx.recipe):
        return
    yield from _written(optimizer, ctx)
    found = list(rates(ctx.recipe, optimizer))
    if all(rate.value > 0 for rate in found):
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    loaded = (event.subject for event, _ in events(ctx.recipe.tree, Kind.RESTORE) if isinstance(event.subject, Restore))
    if any(restore.optimizer is not None and restore.optimizer.slot is optimizer.slot for restore in loaded):
        ctx.skip("what is loaded into the optimizer brings a rate of its own", optimizer)
        return
    negative = [rate for rate in found if rate.value < 0]
    steps = (event.subject for event, _ in events(ctx.recipe.tree, Kind.OPTIMIZER_STEP))
    stepped = any(isinstance(subject, Optimizer) and subject.slot is optimizer.slot for subject in steps)
    still = found if stepped and rates_known(ctx.recipe, optimizer) and all(rate.value <= 0 for rate in found) else []
    for rate in negative[:1] or still[:1]:
        case = "negative" if negative else "zero"
        yield ctx.finding(case, at=optimizer, value_from=rate.known, confidence=None if rate.default_path else "medium", value=rate.value)


def _written(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """A rate that the program writes into the groups itself: negative in the first turn or the last, or zero for all of the first epoch."""
    for rate in optimizer.written:
        steps = turns_with(ctx.recipe, optimizer, rate)
        if not steps:
            continue
        last = rate.last if rate.last is not None else 0
        if rate.first < 0 or last < 0:
            value, turn = (rate.first, 1) if rate.first < 0 else (last, rate.turns)
            yield ctx.finding("written-negative", at=rate.place, value=value, turn=turn, loop=rate.loop.line)
        elif rate.first == 0 and rate.once and rate.peak and all(_batches_below(context, rate.loop) for context in steps):
            yield ctx.finding("first-epoch", at=rate.place, loop=rate.loop.line)


def _batches_below(context: EventContext, place: Place) -> bool:
    """True where each turn of the loop goes through the batches of a loader, and steps in each."""
    loop = training_loop(context)
    return loop is not None and loop.by_loader and loop.epoch is not loop.batch and loop.epoch is not None and loop.epoch.place == place
