"""Label smoothing so strong that the labels nearly vanish."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loss
from advisor.model.source import candidates, number


def check(loss: Loss, ctx: Context) -> Iterator[Finding]:
    """Every value that the setting may have."""
    for at, known in enumerate(candidates(loss.settings.get("label_smoothing"))):
        value = number(known)
        if value is None or 0 <= value <= ctx.limit("high"):
            continue
        case = "far-above" if value > ctx.limit("high") and value < ctx.limit("all") else "no-label-left" if value > 0 else "negative"
        flagged = at > 0 or loss.flag_off
        yield ctx.finding(case, at=loss, value=value, value_from=known, confidence="medium" if flagged else None)
        return
