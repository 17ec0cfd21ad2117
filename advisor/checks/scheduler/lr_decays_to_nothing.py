"""Schedules that leave next to nothing of the rate for a large part of the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Scheduler
from advisor.model.schedules import is_part, rate_left, times_stepped, unit
from advisor.model.source import number


def check(scheduler: Scheduler, ctx: Context) -> Iterator[Finding]:
    """What is left of the rate when the last part of the run begins."""
    if scheduler.owner or is_part(ctx.recipe, scheduler):
        return
    turns = times_stepped(ctx.recipe, scheduler)
    times = number(turns)
    if turns is None or times is None:
        return
    begins = times * (1 - ctx.limit("part"))
    left = [rate_left(scheduler, begins + (times - begins) * tenth / 10) for tenth in range(10)]
    if any(share is None or share > ctx.limit("left") for share in left):
        return
    confidence: Literal["medium"] | None = "medium" if scheduler.flag_off else None
    yield ctx.finding("nothing-left", at=scheduler, confidence=confidence, share=left[0], after=begins, times=times, unit=unit(ctx.recipe, scheduler))
