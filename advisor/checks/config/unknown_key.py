"""Keys that the class they are handed to does not have."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from advisor.checks.context import Context
from advisor.model.finding import Finding, Severity
from advisor.model.recipe import UnknownKey
from advisor.model.source import Link


def check(key: UnknownKey, ctx: Context) -> Iterator[Finding]:
    """Each of them, with the field that was probably meant."""
    if key.optimizer is not None or key.by == "ignored":
        return  # nothing refuses it: it does nothing (setting-never-used)
    if key.by == "parts" and not key.fields:
        yield ctx.finding("one-part", at=key, key=key.name, taker=key.taker)
        return
    if key.by == "parts":
        yield ctx.finding("part", at=key, key=key.name, taker=key.taker, nearest=" and ".join(key.fields), severity="hint" if key.flag_off else None)
        return
    if key.by == "version":
        case = "version" if len(key.fields) == 1 else "written-for"
        yield ctx.finding(case, at=key, key=key.name, taker=key.taker, version=key.fields[0], nearest=key.fields[-1])
        return
    if key.by == "trained":
        yield ctx.finding("of-training", at=key, key=key.name, taker=key.taker, severity="hint" if key.flag_off else None)
        return
    if key.by == "literal":
        severity: Severity | None = "hint" if key.flag_off else None
        evidence = [Link(key.defined.file, key.defined.line, "written here")] if key.defined is not None else []
        nearest = ", ".join(map(repr, key.fields))
        yield ctx.finding("literal", at=key, key=key.name, taker=key.taker, nearest=nearest, severity=severity, evidence=evidence)
        return
    if key.by == "command line":
        yield from _given(key, ctx)
        return
    near = get_close_matches(key.name, key.fields, n=1, cutoff=ctx.limit("likeness"))
    case = ("argument-near" if near else "argument") if key.by == "library" else "near" if near else "none"
    yield ctx.finding(case, at=key, key=key.name, taker=key.taker, nearest="".join(near))


def _given(key: UnknownKey, ctx: Context) -> Iterator[Finding]:
    """Options that a script gives and the program refuses."""
    if not ctx.recipe.whole or ctx.recipe.budget_cuts:
        return
    near = get_close_matches(key.name, key.fields, n=1, cutoff=ctx.limit("likeness"))
    if near and not key.more:
        yield ctx.finding("option-near", at=key, key=key.name, taker=key.taker, nearest=near[0])
    else:
        yield ctx.finding("option", at=key, key=", ".join(f"--{name}" for name in (key.name, *key.more)), taker=key.taker)
