"""Schedulers that leave the learning rate as it is for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.rates import Rate, rates, rates_known, schedulers_of, unsettled
from advisor.model.recipe import Recipe, Scheduler
from advisor.model.schedules import PLATEAU, first_change, is_part, setting, times_stepped
from advisor.model.source import Known, OneOf, first, number

FACTORS = {"StepLR": "gamma", "MultiStepLR": "gamma", "ExponentialLR": "gamma", PLATEAU: "factor", "ConstantLR": "factor"}


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """A factor of one, a floor that the rate does not lie above, or a first change that lies beyond the end of the run."""
    sure: Confidence | None
    ignored = _ignored_warmup(scheduler)
    if ignored is not None:
        name, known = ignored
        yield ctx.finding("warmup-ignored", at=scheduler, value_from=known, setting=name, value=known.value)
    if scheduler.owner or is_part(ctx.recipe, scheduler):
        return
    if (floor := _floor(scheduler, ctx.recipe)) is not None:
        least, rate = floor
        sure = "medium" if scheduler.flag_off or least.weak != rate.known.weak else None
        yield ctx.finding("floor", at=scheduler, value_from=least, confidence=sure, value=least.value, rate=rate.value)
        return
    neutral = _neutral(scheduler)
    if neutral is not None:
        if any(other is not scheduler and other.slot is scheduler.slot for other in ctx.recipe.schedulers):  # one of a choice of schedules
            return
        name, known = neutral
        severity: Severity | None = "hint" if known.origin else None  # a setting of the program's own that stands at one asks for no schedule
        sure = "medium" if scheduler.flag_off else None
        yield ctx.finding("neutral", at=scheduler, value_from=known, severity=severity, confidence=sure, setting=f"{name}=1")
        return
    name, change = first_change(scheduler)
    turns = times_stepped(ctx.recipe, scheduler)
    times = number(turns)
    if turns is None or times is None or change is None or change < times:
        return
    given = first(scheduler.settings.get(name))
    yield ctx.finding(
        "beyond-the-run",
        at=scheduler,
        confidence="medium" if scheduler.flag_off or (given is not None and given.weak != turns.weak) else None,
        value_from=given,
        setting=name,
        value=change if (own := setting(scheduler, name)) is None else own,
        times=times,
        run=ctx.provenance(turns),
    )


def _ignored_warmup(scheduler: Scheduler) -> tuple[str, Known] | None:
    """A warm-up that the program gives to a schedule of Transformers that has none."""
    if scheduler.name != "constant":
        return None
    for name in ("warmup_ratio", "warmup_steps", "num_warmup_steps"):
        given = first(scheduler.settings.get(name))
        if given is not None and given.default is None and not given.weak and isinstance(given.value, (int, float)) and given.value > 0:
            return name, given
    return None


def _floor(scheduler: Scheduler, recipe: Recipe) -> tuple[Known, Rate] | None:
    """The least rate of a plateau schedule, and the highest rate of its optimizer, where that is no higher on any way."""
    held, optimizer = scheduler.settings.get("min_lr"), scheduler.optimizer
    if scheduler.name != PLATEAU or optimizer is None or not isinstance(held, (Known, OneOf)):
        return None
    ways = [option.value for option in held.options] if isinstance(held, OneOf) else [held]
    floors = [way for way in ways if isinstance(way, Known) and number(way)]
    if len(floors) < len(ways) or not rates_known(recipe, optimizer) or unsettled(recipe, optimizer) or len(schedulers_of(recipe, optimizer)) > 1:
        return None
    highest = max(rates(recipe, optimizer), key=lambda rate: rate.value, default=None)
    least = min(floors, key=lambda floor: number(floor) or 0)
    return (least, highest) if highest is not None and highest.value <= (number(least) or 0) else None


def _neutral(scheduler: Scheduler) -> tuple[str, Known] | None:
    """The setting that makes the factor one, on every way."""
    name = FACTORS.get(scheduler.name)
    held = scheduler.settings.get(name) if name is not None else None
    return (name, held) if name is not None and isinstance(held, Known) and number(held) == 1 else None
