"""Label smoothing so strong that the labels nearly vanish."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Loss
from advisor.model.source import candidates, number

NAMES = ("label_smoothing", "smoothing")  # in torch, and in timm


def check(loss: Loss, ctx: Context) -> Iterator[Finding]:
    """Every value that the setting may have."""
    name = next((name for name in NAMES if name in loss.settings and not loss.user_class), "label_smoothing")
    for at, known in enumerate(candidates(loss.settings.get(name))):
        value = number(known)
        if value is None or 0 <= value <= ctx.limit("high"):
            continue
        case = "far-above" if value > ctx.limit("high") and value < ctx.limit("all") else "no-label-left" if value > 0 else "negative"
        flagged = at > 0 or loss.flag_off
        yield ctx.finding(case, at=loss, name=name, value=value, value_from=known, confidence="medium" if flagged else None)
        return
