"""Numbers that reach an object of the library as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.checks.context import CONFIGS, Context
from advisor.model.finding import Finding
from advisor.model.pattern import pattern
from advisor.model.recipe import Loader, Loss, Module, Optimizer, Scheduler
from advisor.model.source import Known, candidates

NUMBER = pattern(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")
EXPONENT = pattern(r"([-+]?\d+)(\.\d*)?[eE]([-+]?)(\d+)")
LIBRARY = "torch."


def check(fact: Optimizer | Scheduler | Module | Loss | Loader, ctx: Context) -> Iterator[Finding]:
    """Each setting of a library object whose value is a text that looks like a number. A framework that builds the object may convert it."""
    if getattr(fact, "user_class", False) or getattr(fact, "owner", None) is not None or not fact.kind.startswith(LIBRARY):
        return
    for name, setting in fact.settings.items():
        for known in candidates(setting):
            if known.default is None and isinstance(known.value, str) and NUMBER.fullmatch(known.value):
                exponent = EXPONENT.fullmatch(known.value) if _in_yaml(known) else None
                case = "exponent" if exponent is not None else "text"
                yield ctx.finding(case, at=fact, value_from=known, setting=name, value=known.value, written=_written(exponent))


def _in_yaml(known: Known) -> bool:
    return known.place is not None and known.place.file.endswith(CONFIGS[:2])


def _written(exponent: re.Match[str] | None) -> str:
    """The same number as YAML 1.1 has it."""
    if exponent is None:
        return ""
    whole, part, sign, power = exponent.groups()
    return f"{whole}{part if part and len(part) > 1 else '.0'}e{sign or '+'}{power}"
