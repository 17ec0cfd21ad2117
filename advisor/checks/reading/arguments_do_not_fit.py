"""Calls whose arguments do not fit what the function takes, or whose values do not fit the names that they are unpacked into."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.recipe import RefusedCall
from advisor.model.source import Link, first


def check(call: RefusedCall, ctx: Context) -> Iterator[Finding]:
    """What is told first is what Python tells first."""
    if ctx.recipe.whole and not ctx.recipe.trains:
        return
    severity: Severity | None = "hint" if call.flag_off else None
    counts = first(call.counts)
    if counts is not None:
        text = isinstance(counts.value, str)
        of_layer = "divided" if text else "size"
        case = "no-file" if call.of_file else of_layer if call.size is not None else "text" if text else "float"
        case = "no-number" if counts.value is None else case
        yield ctx.finding(case, at=call, severity=severity, value_from=counts, value=counts.value, callee=call.callee, names=call.size)
        return
    if call.operands is not None:
        left, right = call.operands
        case = "path-sum" if "pathlib.Path" in call.operands else "text-sum"
        yield ctx.finding(case, at=call, severity=severity, value=call.callee, left=left, right=right)
        return
    if call.of_class is not None:
        own, other = call.of_class
        yield ctx.finding("super", at=call, severity=severity, value=call.callee, own=own, other=other)
        return
    if call.result_of is not None:
        yield ctx.finding("result", at=call, severity=severity, callee=call.callee, function=call.result_of)
        return
    if call.module is not None:
        yield ctx.finding("module", at=call, severity=severity, callee=call.callee, module=call.module)
        return
    if call.constant:
        yield ctx.finding("constant", at=call, severity=severity, callee=call.callee)
        return
    if call.nothing:
        evidence = [Link(call.defined.file, call.defined.line, "where the object is made")] if call.defined is not None else []
        yield ctx.finding("none", at=call, severity=severity, evidence=evidence, callee=call.callee)
        return
    if call.as_one is not None:
        evidence = [Link(call.defined.file, call.defined.line, f"what {call.callee} returns")] if call.defined is not None else []
        yield ctx.finding("as-one", at=call, severity=severity, evidence=evidence, callee=call.callee, given=call.given, value=call.as_one)
        return
    if call.unpacked is not None:
        evidence = [Link(call.defined.file, call.defined.line, f"what {call.callee} returns")] if call.defined is not None else []
        yield ctx.finding("unpacked", at=call, severity=severity, evidence=evidence, callee=call.callee, given=call.given, taken=call.unpacked)
        return
    if call.astray is not None:
        value, taken = call.astray
        evidence = [Link(call.defined.file, call.defined.line, f"what {call.callee} takes")] if call.defined is not None else []
        yield ctx.finding("astray", at=call, severity=severity, evidence=evidence, callee=call.callee, value=value, taken=taken, count=call.given)
        return
    if call.by is not None:
        confidence: Confidence | None = None if call.pinned else "medium"
        handed = ", ".join(call.unexpected)
        yield ctx.finding("by-library", at=call, severity=severity, confidence=confidence, callee=call.callee, names=handed, library=call.by)
        return
    evidence = [Link(call.defined.file, call.defined.line, f"what {call.callee} takes")] if call.defined is not None else []
    for case, names in (("unexpected", call.unexpected), ("twice", call.twice)):
        if names:
            yield ctx.finding(case, at=call, severity=severity, evidence=evidence, callee=call.callee, names=", ".join(names))
            return
    if call.given > len(call.taken):
        yield ctx.finding("too-many", at=call, severity=severity, evidence=evidence, callee=call.callee, given=call.given, taken=len(call.taken))
    elif call.missing:
        yield ctx.finding("missing", at=call, severity=severity, evidence=evidence, callee=call.callee, names=", ".join(call.missing))
