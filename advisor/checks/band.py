"""Settings outside a plain band: what a card with `range:` says, without a check of its own."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Fact
from advisor.model.source import Known, OneOf, Setting, Unknown, candidates, is_unknown


def check(fact: Fact, ctx: Context) -> Iterator[Finding]:
    """Each value that the program itself gives, compared with the limits of the card."""
    _, *path = (ctx.rule.range or "").split(".")
    name = getattr(fact, "name", "") or getattr(fact, "kind", "")
    if ctx.rule.only and name not in ctx.rule.only:
        return
    setting = _setting(fact, path[0])
    if is_unknown(setting):
        ctx.skip(f"{path[0]} of {name or 'this'} is not known: {_why(setting)}", fact)
    for known in candidates(setting):
        value = known.value
        for part in path[1:]:
            value = value[int(part)] if isinstance(value, (tuple, list)) and int(part) < len(value) else None
        if known.default is not None or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        case = _outside(value, ctx)
        if case:
            yield ctx.finding(case, at=fact, value_from=known, value=value, setting=path[0])


def _setting(fact: Fact, name: str) -> Setting | None:
    settings = getattr(fact, "settings", {})
    found = settings[name] if name in settings else getattr(fact, name, None)
    return found if isinstance(found, (Known, OneOf, Unknown)) else None


def _outside(value: float, ctx: Context) -> str | None:
    if "below" in ctx.rule.cases and value < ctx.limit("low"):
        return "below"
    if "above" in ctx.rule.cases and value > ctx.limit("high"):
        return "above"
    return None


def _why(setting: Setting | None) -> str:
    options = [setting] if isinstance(setting, Unknown) else [option.value for option in setting.options] if isinstance(setting, OneOf) else []
    return next((option.why for option in options if isinstance(option, Unknown)), "not read")
